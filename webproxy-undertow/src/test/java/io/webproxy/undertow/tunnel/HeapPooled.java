package io.webproxy.undertow.tunnel;

import java.nio.ByteBuffer;
import org.xnio.Pooled;

/** A buffer that no pool owns, in the form that XNIO pushes back. */
@SuppressWarnings("deprecation") // XNIO takes nothing else
record HeapPooled(ByteBuffer buffer) implements Pooled<ByteBuffer> {
    @Override
    public void discard() {
        // the collector's
    }

    @Override
    public void free() {
        // the collector's
    }

    @Override
    public ByteBuffer getResource() {
        return buffer;
    }

    @Override
    public void close() {
        // the collector's
    }
}
