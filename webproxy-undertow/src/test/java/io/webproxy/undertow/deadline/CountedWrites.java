package io.webproxy.undertow.deadline;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.StreamConnection;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

/** Counts the writes that reach a socket. */
public final class CountedWrites extends AbstractStreamSinkConduit<StreamSinkConduit> {
    private final AtomicInteger count = new AtomicInteger();

    private CountedWrites(StreamSinkConduit next) {
        super(next);
    }

    /** Stands directly on the socket. */
    public static CountedWrites of(StreamConnection socket) {
        CountedWrites counted = new CountedWrites(socket.getSinkChannel().getConduit());
        socket.getSinkChannel().setConduit(counted);
        return counted;
    }

    /** How many there were. */
    public int count() {
        return count.get();
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        count.incrementAndGet();
        return super.write(src);
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        count.incrementAndGet();
        return super.write(srcs, offset, length);
    }
}
