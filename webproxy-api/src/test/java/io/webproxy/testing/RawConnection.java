package io.webproxy.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/** One side of a connection, in bytes. Texts are ISO-8859-1; {@code ¶} stands for CRLF. Reads wait for at most 30 s. */
public final class RawConnection implements AutoCloseable {
    private static final int WAIT_MILLIS = 30_000;

    private final Socket socket;
    private final Socket tcp;
    private final InputStream in;

    public RawConnection(Socket socket) throws IOException {
        this(socket, socket);
    }

    private RawConnection(Socket socket, Socket tcp) throws IOException {
        this.socket = socket;
        this.tcp = tcp;
        socket.setSoTimeout(WAIT_MILLIS);
        socket.setTcpNoDelay(true);
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    /** Connects to a port of the loopback address, in clear. */
    public static RawConnection open(int port) throws IOException {
        return new RawConnection(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    /** Connects to a port of localhost over TLS, offering these protocols by ALPN. */
    public static RawConnection openTls(int port, SSLSocketFactory factory, String... alpn) throws IOException {
        Socket tcp = new Socket(InetAddress.getLoopbackAddress(), port);
        SSLSocket socket = (SSLSocket) factory.createSocket(tcp, "localhost", port, true);
        var parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(alpn);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.setSoTimeout(WAIT_MILLIS);
        socket.startHandshake();
        return new RawConnection(socket, tcp);
    }

    /**
     * Connects over TLS, naming a host by SNI, and none if it is null; the certificate may be for any name.
     *
     * @param alpn what is offered
     */
    public static RawConnection openTlsFor(@Nullable String name, int port, SSLSocketFactory factory, String... alpn)
            throws IOException {
        Socket tcp = new Socket(InetAddress.getLoopbackAddress(), port);
        SSLSocket socket = (SSLSocket) factory.createSocket(tcp, "127.0.0.1", port, true);
        var parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(alpn);
        if (name != null) {
            parameters.setServerNames(List.of(new SNIHostName(name)));
        }
        socket.setSSLParameters(parameters);
        socket.setSoTimeout(WAIT_MILLIS);
        socket.startHandshake();
        return new RawConnection(socket, tcp);
    }

    /** The server's side of TLS over this connection, which takes these protocols by ALPN. */
    public RawConnection serveTls(SSLSocketFactory factory, String... alpn) throws IOException {
        SSLSocket secure = (SSLSocket) factory.createSocket(tcp, "127.0.0.1", tcp.getPort(), true);
        secure.setUseClientMode(false);
        var parameters = secure.getSSLParameters();
        parameters.setApplicationProtocols(alpn);
        secure.setSSLParameters(parameters);
        secure.setSoTimeout(WAIT_MILLIS);
        secure.startHandshake();
        return new RawConnection(secure, tcp);
    }

    public Socket socket() {
        return socket;
    }

    /** Sends a text at once. */
    public RawConnection send(String text) throws IOException {
        return send(text.replace("¶", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    public RawConnection send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return this;
    }

    /** Sends a text byte by byte, with a pause before each: a slow peer. */
    public void trickle(String text, Duration pause) throws IOException {
        for (char c : text.toCharArray()) {
            pace(pause);
            send(String.valueOf(c));
        }
    }

    /** What makes a slow peer slow; no test waits for a result by it. */
    public static void pace(Duration pause) {
        LockSupport.parkNanos(pause.toNanos());
    }

    /** Everything up to and with the next empty line; empty at the end of the stream. */
    public String readHead() throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        int matched = 0;
        while (matched < 4) {
            int b = in.read();
            if (b < 0) {
                return "";
            }
            head.write(b);
            matched = b == (matched % 2 == 0 ? '\r' : '\n') ? matched + 1 : b == '\r' ? 1 : 0;
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    /** Exactly this many bytes, fewer only at the end of the stream. */
    public String read(int count) throws IOException {
        return new String(in.readNBytes(count), StandardCharsets.ISO_8859_1);
    }

    /** Reads and throws away, by way of a digest or the like. */
    public int read(byte[] into, int most) throws IOException {
        return in.read(into, 0, most);
    }

    /** One byte, -1 at the end of the stream. */
    public int readByte() throws IOException {
        return in.read();
    }

    /**
     * A whole response: the head, and the body by Content-Length or chunks (framing included); else up to the end of
     * the stream.
     */
    public String readResponse() throws IOException {
        String head = readHead();
        String lower = head.toLowerCase(Locale.ROOT);
        if (lower.contains("transfer-encoding: chunked")) {
            return head + readChunks();
        }
        int length = lower.indexOf("content-length: ");
        if (length >= 0) {
            int end = lower.indexOf('\r', length);
            return head + read(Integer.parseInt(lower.substring(length + 16, end)));
        }
        return lower.startsWith("http/1.1 1") || lower.startsWith("http/1.1 204") || lower.startsWith("http/1.1 304")
                ? head
                : head + readAll();
    }

    private String readChunks() throws IOException {
        StringBuilder all = new StringBuilder();
        while (true) {
            String line = readLine();
            all.append(line);
            if (line.isEmpty()) {
                return all.toString();
            }
            int size = Integer.parseInt(line.strip().split(";")[0], 16);
            if (size == 0) {
                String trailer;
                do {
                    trailer = readLine();
                    all.append(trailer);
                } while (!trailer.equals("\r\n") && !trailer.isEmpty());
                return all.toString();
            }
            all.append(read(size + 2));
        }
    }

    /** A line with its end; shorter at the end of the stream. */
    public String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int b;
        do {
            b = in.read();
            if (b >= 0) {
                line.write(b);
            }
        } while (b >= 0 && b != '\n');
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** Everything up to the end of the stream. */
    public String readAll() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /**
     * How the stream ends: {@code "end"} for an orderly end, {@code "reset"} for a reset, a text for bytes that come
     * instead.
     */
    public String end() throws IOException {
        try {
            int b = in.read();
            return b < 0 ? "end" : "byte " + b;
        } catch (SocketException | javax.net.ssl.SSLException e) {
            return "reset";
        }
    }

    /** Drops whatever comes, and says how the stream ends: {@code "end"} or {@code "reset"}. */
    public String drain() throws IOException {
        String end = end();
        while (end.startsWith("byte")) {
            end = end();
        }
        return end;
    }

    /** Closes with a reset, and without a word of TLS. */
    public void reset() throws IOException {
        tcp.setSoLinger(true, 0);
        tcp.close();
    }

    /** Sends bytes past TLS. */
    public void sendBare(byte[] bytes) throws IOException {
        tcp.getOutputStream().write(bytes);
    }

    /** No more bytes from this side. */
    public void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    public @Nullable String applicationProtocol() {
        return socket instanceof SSLSocket tls ? tls.getApplicationProtocol() : null;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
