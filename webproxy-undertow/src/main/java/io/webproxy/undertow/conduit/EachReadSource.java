package io.webproxy.undertow.conduit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * A source over another one, all of whose bytes pass through its {@code read} methods: no other way to read bypasses
 * them. Not thread-safe.
 */
public abstract class EachReadSource extends AbstractStreamSourceConduit<StreamSourceConduit> implements PlainSource {
    /** {@code next}: where the bytes come from. */
    protected EachReadSource(StreamSourceConduit next) {
        super(next);
    }

    @Override
    public final long transferTo(long position, long count, FileChannel target) throws IOException {
        return PlainSource.super.transferTo(position, count, target);
    }

    @Override
    public final long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        return PlainSource.super.transferTo(count, throughBuffer, target);
    }
}
