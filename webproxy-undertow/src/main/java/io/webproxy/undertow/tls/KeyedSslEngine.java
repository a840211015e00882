package io.webproxy.undertow.tls;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;

/** A server's engine of the JDK, which knows what its client has said, also when the client begins another handshake. */
final class KeyedSslEngine extends ForwardingSslEngine {
    KeyedSslEngine(SSLEngine inner) {
        super(inner);
    }

    @Override
    public SSLEngineResult wrap(ByteBuffer[] srcs, int offset, int length, ByteBuffer dst) throws SSLException {
        HandshakeKeys.enter(keys);
        try {
            return inner.wrap(srcs, offset, length, dst);
        } finally {
            HandshakeKeys.leave(keys);
        }
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer src, ByteBuffer[] dsts, int offset, int length) throws SSLException {
        HandshakeKeys.enter(keys);
        try {
            return inner.unwrap(src, dsts, offset, length);
        } finally {
            HandshakeKeys.leave(keys);
        }
    }

    @Override
    public void closeInbound() throws SSLException {
        inner.closeInbound();
    }

    @Override
    public void closeOutbound() {
        inner.closeOutbound();
    }

    @Override
    public boolean isOutboundDone() {
        return inner.isOutboundDone();
    }
}
