package io.webproxy.undertow.tls.engine;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

/**
 * The JDK's engine for a server, with the keys of its handshake. It refuses renegotiation (RFC 5246 section 7.4.1.1),
 * as Conscrypt does: each handshake would cost a signature, out of turn and after the time limit of handshakes, and
 * could present another client certificate than the one that was checked. The JDK (17 to 25) allows it unless a
 * property of the whole process says otherwise. Canary: {@code JdkDefectsTest.clientsMayRenegotiate}.
 */
final class KeyedSslEngine extends ForwardingSslEngine {
    private volatile boolean handshaken;

    KeyedSslEngine(SSLEngine inner) {
        super(inner, false);
    }

    private SSLEngineResult seen(SSLEngineResult result) {
        if (result.getHandshakeStatus() == HandshakeStatus.FINISHED) {
            handshaken = true;
        }
        return result;
    }

    @Override
    public SSLEngineResult wrap(ByteBuffer[] srcs, int offset, int length, ByteBuffer dst) throws SSLException {
        HandshakeKeys.enter(keys);
        int from = dst.position();
        try {
            SSLEngineResult result = seen(inner.wrap(srcs, offset, length, dst));
            produced(dst, from);
            return result;
        } finally {
            HandshakeKeys.leave(keys);
        }
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer src, ByteBuffer[] dsts, int offset, int length) throws SSLException {
        boolean before = handshaken;
        HandshakeKeys.enter(keys);
        try {
            SSLEngineResult result = seen(inner.unwrap(src, dsts, offset, length));
            // messages after a TLS 1.3 handshake have no task (RFC 8446 section 4.6)
            if (before && result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                throw new SSLHandshakeException("the client wants to renegotiate");
            }
            return result;
        } finally {
            HandshakeKeys.leave(keys);
        }
    }
}
