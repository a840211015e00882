package io.webproxy.undertow.tls.engine;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;

/** The JDK's engine for the client's side of TLS, which remembers why it failed. */
final class ClientSslEngine extends ForwardingSslEngine {
    ClientSslEngine(SSLEngine inner) {
        super(inner, true);
    }

    @Override
    public SSLEngineResult wrap(ByteBuffer[] srcs, int offset, int length, ByteBuffer dst) throws SSLException {
        try {
            return inner.wrap(srcs, offset, length, dst);
        } catch (SSLException e) {
            failed(e);
            throw e;
        }
    }

    @Override
    public SSLEngineResult unwrap(ByteBuffer src, ByteBuffer[] dsts, int offset, int length) throws SSLException {
        try {
            return inner.unwrap(src, dsts, offset, length);
        } catch (SSLException e) {
            failed(e);
            throw e;
        }
    }
}
