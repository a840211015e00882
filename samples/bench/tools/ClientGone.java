import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Clients that go while the upstream has not answered: over HTTP/1.1 and HTTP/2 by the end of the connection, in turns with and
 * without TLS's close_notify, and over HTTP/2 also by RST_STREAM alone. Prints {@code left WAY-NUMBER NANOS} for each, by
 * {@link System#nanoTime}; the request's query has {@code id=WAY-NUMBER} for the upstream to do the same.
 *
 * <p>Arguments: the proxy's URI, a file with its certificate, how many of each.
 */
final class ClientGone {
    private static final long WAIT_MILLIS = 200; // for the request to be at the upstream

    private final SSLContext tls;
    private final URI proxy;

    private ClientGone(SSLContext tls, URI proxy) {
        this.tls = tls;
        this.proxy = proxy;
    }

    public static void main(String[] args) throws Exception {
        ClientGone clients = new ClientGone(trusting(Path.of(args[1])), URI.create(args[0]));
        for (int i = 0; i < Integer.parseInt(args[2]); i++) {
            clients.http1("h1-" + i, i % 2 == 0);
            clients.http2("h2-" + i, i % 2 == 0, false);
            clients.http2("reset-" + i, false, true);
        }
    }

    private void http1(String id, boolean notify) throws IOException, InterruptedException {
        try (Socket tcp = new Socket(proxy.getHost(), proxy.getPort());
                SSLSocket secure = connect(tcp, "http/1.1")) {
            secure.getOutputStream()
                    .write(("GET " + path(id) + " HTTP/1.1\r\nHost: " + proxy.getAuthority() + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            leave(id, notify ? secure : tcp);
        }
    }

    private void http2(String id, boolean notify, boolean reset) throws IOException, InterruptedException {
        try (Socket tcp = new Socket(proxy.getHost(), proxy.getPort());
                SSLSocket secure = connect(tcp, "h2")) {
            OutputStream out = secure.getOutputStream();
            out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.write(frame(4, 0, 0, new byte[0]));
            awaitSettings(secure.getInputStream());
            out.write(frame(4, 1, 0, new byte[0]));
            out.write(frame(1, 5, 1, requestHead(id)));
            if (!reset) {
                leave(id, notify ? secure : tcp);
                return;
            }
            Thread.sleep(WAIT_MILLIS);
            long now = System.nanoTime();
            out.write(frame(3, 0, 1, new byte[] {0, 0, 0, 8}));
            System.out.println("left " + id + " " + now);
            Thread.sleep(WAIT_MILLIS); // the connection stays, so that it is the reset that counts
        }
    }

    private static void leave(String id, Socket socket) throws IOException, InterruptedException {
        Thread.sleep(WAIT_MILLIS);
        long now = System.nanoTime();
        socket.close();
        System.out.println("left " + id + " " + now);
    }

    private SSLSocket connect(Socket tcp, String protocol) throws IOException {
        SSLSocket secure = (SSLSocket) tls.getSocketFactory().createSocket(tcp, proxy.getHost(), proxy.getPort(), true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setApplicationProtocols(new String[] {protocol});
        secure.setSSLParameters(parameters);
        secure.startHandshake();
        if (!secure.getApplicationProtocol().equals(protocol)) {
            throw new IOException("the proxy chose '" + secure.getApplicationProtocol() + "' in place of " + protocol);
        }
        return secure;
    }

    private static String path(String id) {
        return "/plain?silent&id=" + id;
    }

    /** RFC 7541: two fields of the static table, and two literals with names of it. */
    private byte[] requestHead(String id) {
        byte[] path = path(id).getBytes(StandardCharsets.US_ASCII);
        byte[] authority = proxy.getAuthority().getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(6 + path.length + authority.length)
                .put((byte) 0x82) // :method GET
                .put((byte) 0x87) // :scheme https
                .put((byte) 4)
                .put((byte) path.length)
                .put(path)
                .put((byte) 1)
                .put((byte) authority.length)
                .put(authority)
                .array();
    }

    /** RFC 9113 section 4.1. */
    private static byte[] frame(int type, int flags, int stream, byte[] payload) {
        return ByteBuffer.allocate(9 + payload.length)
                .put((byte) 0)
                .putShort((short) payload.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    private static void awaitSettings(InputStream in) throws IOException {
        DataInputStream frames = new DataInputStream(in);
        int type;
        do {
            int length = frames.readUnsignedByte() << 16 | frames.readUnsignedShort();
            type = frames.readUnsignedByte();
            frames.readFully(new byte[5 + length]);
        } while (type != 4);
    }

    private static SSLContext trusting(Path certificate) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = Files.newInputStream(certificate)) {
            store.setCertificateEntry(
                    "proxy", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
