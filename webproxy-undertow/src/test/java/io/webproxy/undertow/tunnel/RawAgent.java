package io.webproxy.undertow.tunnel;

import io.webproxy.spi.TunnelKey;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.sniff.TunnelMark;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** An agent that says what a test wants, by the JDK's sockets. Reads wait for at most 30 s. */
final class RawAgent implements AutoCloseable {
    final UUID instance;
    private final TunnelKey key;
    private final int port;
    private final SSLSocket socket;
    private final FrameReader reader = new FrameReader();
    private ByteBuffer left = ByteBuffer.allocate(0);

    /** Connects with a key; the server's isn't looked at. */
    RawAgent(TunnelKey key, int port, UUID instance) throws Exception {
        this(key, port, instance, context(key));
    }

    /** With a context, whose sessions are resumed. */
    RawAgent(TunnelKey key, int port, UUID instance, SSLContext context) throws Exception {
        this.key = key;
        this.port = port;
        this.instance = instance;
        socket = (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        var parameters = socket.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3"});
        // many megabytes of it are quick in Java too
        parameters.setCipherSuites(new String[] {"TLS_CHACHA20_POLY1305_SHA256"});
        parameters.setApplicationProtocols(new String[] {TunnelMark.PROTOCOL});
        socket.setSSLParameters(parameters);
        socket.setSoTimeout(30_000);
        socket.startHandshake();
    }

    /** Shows a key, and takes any. */
    static SSLContext context(TunnelKey key) throws Exception {
        KeyMaterial material = key.material();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", material.key(), new char[0], material.chain().toArray(new Certificate[0]));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), new TrustManager[] {new AnyServer()}, null);
        return context;
    }

    /** Connects, says hello and announces names. */
    static RawAgent announcing(TunnelKey key, int port, String... names) throws Exception {
        RawAgent agent = new RawAgent(key, port, UUID.randomUUID());
        agent.send(new Message.Hello(1, 0, agent.instance, "raw"));
        agent.next(Message.Welcome.class);
        for (String name : names) {
            agent.send(new Message.Announce(1, List.of(new Message.Offer(Message.Item.name(name), 0))));
            agent.next(Message.Result.class);
        }
        return agent;
    }

    RawAgent send(Message message) throws IOException {
        ByteBuffer frame = Frames.of(message);
        return send(Arrays.copyOf(frame.array(), frame.limit()));
    }

    RawAgent send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return this;
    }

    /** The next message; null at the end of the stream. */
    @Nullable Message next() throws IOException {
        InputStream in = socket.getInputStream();
        byte[] bytes = new byte[4096];
        while (true) {
            FrameReader.Step step = reader.feed(left);
            if (step instanceof FrameReader.Step.Whole whole) {
                return whole.message();
            }
            int read = in.read(bytes);
            if (read < 0) {
                return null;
            }
            left = ByteBuffer.wrap(bytes.clone(), 0, read);
        }
    }

    /** The next message of a type; others are skipped. */
    <M extends Message> M next(Class<M> type) throws IOException {
        for (Message message = next(); message != null; message = next()) {
            if (type.isInstance(message)) {
                return type.cast(message);
            }
        }
        throw new IOException("the end, and no " + type.getSimpleName());
    }

    /** Opens the data connection of a token, of this agent or another one. */
    Socket data(long id, byte[] token) throws IOException {
        return dataWithProof(id, Tokens.proof(token, id, key.fingerprint(), instance));
    }

    Socket dataWithProof(long id, byte[] proof) throws IOException {
        Socket data = new Socket(InetAddress.getLoopbackAddress(), port);
        data.setSoTimeout(30_000);
        ByteBuffer hello = DataHello.of(id, proof);
        data.getOutputStream().write(hello.array(), 0, hello.limit());
        return data;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /** It is the server that is tested. */
    private static final class AnyServer extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] c, String a, Socket s) {}

        @Override
        public void checkServerTrusted(X509Certificate[] c, String a, Socket s) {}

        @Override
        public void checkClientTrusted(X509Certificate[] c, String a, SSLEngine e) {}

        @Override
        public void checkServerTrusted(X509Certificate[] c, String a, SSLEngine e) {}

        @Override
        public void checkClientTrusted(X509Certificate[] c, String a) {}

        @Override
        public void checkServerTrusted(X509Certificate[] c, String a) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
