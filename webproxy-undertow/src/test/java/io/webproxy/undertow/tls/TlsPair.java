package io.webproxy.undertow.tls;

import io.webproxy.undertow.endpoint.Offer;
import io.webproxy.undertow.sniff.ClientHelloParser;
import io.webproxy.undertow.sniff.Peeked;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** A client's and a server's engine, with memory for a network. */
final class TlsPair {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    final SSLEngine client;
    final SSLEngine server;
    final ByteBuffer toServer = ByteBuffer.allocateDirect(1 << 16);
    final ByteBuffer toClient = ByteBuffer.allocateDirect(1 << 16);

    /** How much the server said in the handshake; a resumed one shows no certificate. */
    int handshakeBytes;

    /** The address that the client has reached. */
    InetSocketAddress reached = new InetSocketAddress("192.0.2.99", 443);

    private boolean told;

    private final ServerTls tls;

    TlsPair(SSLEngine client, ServerTls tls) {
        this.client = client;
        this.tls = tls;
        this.server = tls.sslContext().createSSLEngine();
    }

    TlsPair handshake() throws SSLException {
        client.beginHandshake();
        server.beginHandshake();
        boolean moved = true;
        while (moved) {
            moved = step(client, toServer, toClient) | step(server, toClient, toServer);
        }
        return this;
    }

    /** Tells the server what the client has said, as a port that has peeked it does. */
    void hear() {
        if (!told && toServer.position() > 0) {
            told = true;
            Peeked hello = new ClientHelloParser().feed(toServer.duplicate().flip());
            try {
                ServerTls.expect(server, tls.choose(Offer.of((Peeked.ClientHello) hello, reached)));
            } catch (HelloRefused e) {
                throw new AssertionError(e);
            }
        }
    }

    /** Whatever the engine can do now; whether it was anything. */
    private boolean step(SSLEngine engine, ByteBuffer out, ByteBuffer in) throws SSLException {
        boolean moved = false;
        if (engine == server) {
            hear();
        }
        runTasks(engine);
        while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            SSLEngineResult result = engine.wrap(NOTHING, out);
            moved |= result.bytesProduced() > 0;
            handshakeBytes += engine == server ? result.bytesProduced() : 0;
            runTasks(engine);
            if (result.bytesProduced() == 0) {
                break;
            }
        }
        return moved | unwrap(engine, in, ByteBuffer.allocateDirect(1 << 15)) > 0;
    }

    /** Reads what has come, the plaintext into {@code plain}; how many bytes went in. */
    static int unwrap(SSLEngine engine, ByteBuffer in, ByteBuffer plain) throws SSLException {
        in.flip();
        int before = in.remaining();
        int consumed = -1;
        while (consumed != 0 && in.hasRemaining()) {
            consumed = engine.unwrap(in, plain).bytesConsumed();
            runTasks(engine);
        }
        int moved = before - in.remaining();
        in.compact();
        return moved;
    }

    private static void runTasks(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    /** Sends from server to client; with TLS 1.3 that brings Conscrypt's session tickets too. */
    byte[] sendToClient(byte[] data) throws SSLException {
        server.wrap(ByteBuffer.wrap(data), toClient);
        ByteBuffer plain = ByteBuffer.allocate(1 << 15);
        unwrap(client, toClient, plain);
        return Arrays.copyOf(plain.array(), plain.position());
    }

    void close() throws SSLException {
        for (SSLEngine engine : new SSLEngine[] {client, server}) {
            engine.closeOutbound();
            try {
                engine.closeInbound();
            } catch (SSLException e) {
                // the JDK's minds that the other side has said no good-bye
            }
        }
    }
}
