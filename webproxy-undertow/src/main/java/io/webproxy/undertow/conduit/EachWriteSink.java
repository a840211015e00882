package io.webproxy.undertow.conduit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

/**
 * A sink over another one, all of whose bytes pass through its {@code write} methods: no other way to write bypasses
 * them. Not thread-safe.
 */
public abstract class EachWriteSink extends AbstractStreamSinkConduit<StreamSinkConduit> implements PlainSink {
    /** {@code next}: where the bytes go. */
    protected EachWriteSink(StreamSinkConduit next) {
        super(next);
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        return PlainSink.super.write(srcs, offset, length);
    }

    @Override
    public final int writeFinal(ByteBuffer src) throws IOException {
        return PlainSink.super.writeFinal(src);
    }

    @Override
    public final long writeFinal(ByteBuffer[] srcs, int offset, int length) throws IOException {
        return PlainSink.super.writeFinal(srcs, offset, length);
    }

    @Override
    public final long transferFrom(FileChannel source, long position, long count) throws IOException {
        return PlainSink.super.transferFrom(source, position, count);
    }

    @Override
    public final long transferFrom(StreamSourceChannel source, long count, ByteBuffer throughBuffer)
            throws IOException {
        return PlainSink.super.transferFrom(source, count, throughBuffer);
    }
}
