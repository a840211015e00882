import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Idle WebSockets, opened one after the other and kept without a thread, and what they cost a proxy: its resident memory after a
 * collection, its live heap, its threads and its descriptors, before and after. Each echoes once when it is open, and some do
 * again at the end. The exit status is 0 if all requirements are met.
 *
 * <p>Arguments: the proxy's URI, a file with its certificate, its process id, how many WebSockets, how many KiB one may cost,
 * how many to open and close first, ten times, and the seconds from a collection to the measurement.
 */
final class IdleWebSockets {
    private static final int SAMPLE = 50;
    private static final int WARMUP_ROUNDS = 10;
    /** "Hello" in a masked text frame (RFC 6455 section 5.7), and unmasked. */
    private static final byte[] HELLO = {
        (byte) 0x81, (byte) 0x85, 0x37, (byte) 0xfa, 0x21, 0x3d, 0x7f, (byte) 0x9f, 0x4d, 0x51, 0x58
    };

    private static final byte[] ECHO = {(byte) 0x81, 5, 'H', 'e', 'l', 'l', 'o'};
    private static final byte[] CLOSE = {(byte) 0x88, (byte) 0x82, 0, 0, 0, 0, 0x03, (byte) 0xe8};

    private final URI proxy;
    private final SSLContext tls;
    private final String pid;
    private final long settleMillis;

    private IdleWebSockets(URI proxy, SSLContext tls, String pid, long settleMillis) {
        this.proxy = proxy;
        this.tls = tls;
        this.pid = pid;
        this.settleMillis = settleMillis;
    }

    public static void main(String[] args) throws Exception {
        IdleWebSockets webSockets = new IdleWebSockets(
                URI.create(args[0]), trusting(Path.of(args[1])), args[2], Long.parseLong(args[6]) * 1000);
        int count = Integer.parseInt(args[3]);
        for (int i = 0; i < WARMUP_ROUNDS; i++) {
            close(webSockets.open(Integer.parseInt(args[5])));
        }
        Usage before = webSockets.usage();
        System.out.println("before  " + before);
        List<Socket> open = webSockets.open(count);
        Usage after = webSockets.usage();
        System.out.println("after   " + after);
        int echoed = sample(open);
        close(open);
        System.exit(report(before, after, count, Long.parseLong(args[4]), echoed) ? 0 : 1);
    }

    private static boolean report(Usage before, Usage after, int count, long allowed, int echoed) {
        double resident = (double) (after.resident - before.resident) / count;
        System.out.printf(
                "resident memory per WebSocket %.1f KiB, %.1f of it live heap (at most %d): %s%n",
                resident, (double) (after.heap - before.heap) / count, allowed, verdict(resident <= allowed));
        // The proxy may have a thread more for a while; one for each connection it may not.
        boolean few = after.threads - before.threads <= 4;
        System.out.println("threads " + before.threads + " before, " + after.threads + " after: " + verdict(few));
        System.out.printf(
                "descriptors per WebSocket %.1f%n", (double) (after.descriptors - before.descriptors) / count);
        boolean alive = echoed == Math.min(SAMPLE, count);
        System.out.println("each echoed when open, " + echoed + " of " + Math.min(SAMPLE, count) + " at the end: "
                + verdict(alive));
        return resident <= allowed && few && alive;
    }

    private static String verdict(boolean ok) {
        return ok ? "ok" : "FAILED";
    }

    private List<Socket> open(int count) throws IOException {
        List<Socket> all = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Socket socket = connect();
            all.add(socket);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("GET /socket HTTP/1.1\r\nHost: " + proxy.getAuthority()
                                    + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
                                    + "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String head = head(socket.getInputStream());
            if (!head.startsWith("HTTP/1.1 101 ") || !head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
                throw new IOException(
                        "WebSocket " + i + ": " + head.lines().findFirst().orElse("nothing"));
            }
            if (!echoes(socket)) {
                throw new IOException("WebSocket " + i + " doesn't echo");
            }
        }
        return all;
    }

    private Socket connect() throws IOException {
        if (!proxy.getScheme().equals("https")) {
            return SocketFactory.getDefault().createSocket(proxy.getHost(), proxy.getPort());
        }
        SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(proxy.getHost(), proxy.getPort());
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        return socket;
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int b = in.read();
            if (b < 0) {
                break;
            }
            head.append((char) b);
        }
        return head.toString();
    }

    private static boolean echoes(Socket socket) throws IOException {
        socket.getOutputStream().write(HELLO);
        byte[] echo = new byte[ECHO.length];
        new DataInputStream(socket.getInputStream()).readFully(echo);
        return Arrays.equals(echo, ECHO);
    }

    /** How many of some still echo. */
    private static int sample(List<Socket> open) {
        List<Socket> some = new ArrayList<>(open);
        Collections.shuffle(some, new Random(1));
        int echoed = 0;
        for (Socket socket : some.subList(0, Math.min(SAMPLE, some.size()))) {
            try {
                echoed += echoes(socket) ? 1 : 0;
            } catch (IOException e) {
                System.out.println("no echo at the end: " + e);
            }
        }
        return echoed;
    }

    private static void close(List<Socket> sockets) throws IOException {
        for (Socket socket : sockets) {
            try (socket) {
                socket.getOutputStream().write(CLOSE);
            }
        }
    }

    /** KiB, threads and descriptors. */
    private record Usage(long resident, long heap, long committed, long threads, long descriptors) {
        @Override
        public String toString() {
            return String.format(
                    "resident %d KiB, heap %d KiB live of %d KiB, %d threads, %d descriptors",
                    resident, heap, committed, threads, descriptors);
        }
    }

    /** After a collection, and time for what goes away with it; the collection is done twice, for cleaners and references. */
    private Usage usage() throws IOException, InterruptedException {
        run("jcmd", pid, "GC.run");
        Thread.sleep(settleMillis);
        run("jcmd", pid, "GC.run");
        Thread.sleep(settleMillis);
        List<String> lines = run("jstat", "-gc", pid);
        List<String> names = List.of(lines.get(0).trim().split("\\s+"));
        String[] values = lines.get(1).trim().split("\\s+");
        double heap = 0;
        double committed = 0;
        for (String space : List.of("S0", "S1", "E", "O")) {
            heap += Double.parseDouble(values[names.indexOf(space + "U")]);
            committed += Double.parseDouble(values[names.indexOf(space + "C")]);
        }
        String[] descriptors = new File("/proc/" + pid + "/fd").list();
        return new Usage(
                status("VmRSS"),
                (long) heap,
                (long) committed,
                status("Threads"),
                descriptors == null ? 0 : descriptors.length);
    }

    private long status(String field) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith(field + ":")) {
                return Long.parseLong(line.split("\\s+")[1]);
            }
        }
        throw new IOException("no " + field);
    }

    private static List<String> run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + output);
        }
        return output.lines().toList();
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
