package io.webproxy.undertow.deadline;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.StreamConnection;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.StreamSourceConduit;

/** Counts the reads that reach a socket. */
public final class CountedReads extends AbstractStreamSourceConduit<StreamSourceConduit> {
    private final AtomicInteger count = new AtomicInteger();

    private CountedReads(StreamSourceConduit next) {
        super(next);
    }

    /** Stands directly on the socket. */
    public static CountedReads of(StreamConnection socket) {
        CountedReads counted = new CountedReads(socket.getSourceChannel().getConduit());
        socket.getSourceChannel().setConduit(counted);
        return counted;
    }

    /** How many there were. */
    public int count() {
        return count.get();
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        count.incrementAndGet();
        return super.read(dst);
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        count.incrementAndGet();
        return super.read(dsts, offset, length);
    }
}
