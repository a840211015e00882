import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/**
 * A client that tries, all the time: a new connection every few milliseconds, which sends a ClientHello and expects it back from an echo at the other end, and a few
 * connections that are held, with a word each second. Writes lines to a log until a file LOG.stop exists: {@code new BEGUN ENDED ok} or what went wrong, and
 * {@code held SINCE UNTIL what went wrong} for each that broke, which is replaced. Times are milliseconds since 1970.
 *
 * <p>Arguments: host, port, server name, log, milliseconds between two, how many are held.
 */
public final class TunnelProbe {
    private static final int PATIENCE_MILLIS = 15_000;

    private final InetSocketAddress address;
    private final byte[] hello;
    private final PrintStream log;
    private volatile boolean over;

    private TunnelProbe(InetSocketAddress address, byte[] hello, PrintStream log) {
        this.address = address;
        this.hello = hello;
        this.log = log;
    }

    public static void main(String[] args) throws Exception {
        TunnelProbe probe = new TunnelProbe(
                new InetSocketAddress(args[0], Integer.parseInt(args[1])),
                hello(args[2]),
                new PrintStream(Files.newOutputStream(Path.of(args[3])), true, StandardCharsets.UTF_8));
        ExecutorService threads = Executors.newCachedThreadPool();
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        for (int i = Integer.parseInt(args[5]); i > 0; i--) {
            threads.execute(probe::hold);
        }
        int every = Integer.parseInt(args[4]);
        clock.scheduleAtFixedRate(() -> threads.execute(probe::attempt), every, every, TimeUnit.MILLISECONDS);
        Path stop = Path.of(args[3] + ".stop");
        while (!Files.exists(stop)) {
            Thread.sleep(200);
        }
        probe.over = true;
        clock.shutdownNow();
        threads.shutdown();
        threads.awaitTermination(PATIENCE_MILLIS + 5_000, TimeUnit.MILLISECONDS);
        System.exit(0);
    }

    private static byte[] hello(String name) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine(name, 443);
        engine.setUseClientMode(true);
        ByteBuffer out = ByteBuffer.allocate(32768);
        engine.wrap(ByteBuffer.allocate(0), out);
        return Arrays.copyOf(out.array(), out.position());
    }

    private Socket open() throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(address, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.setTcpNoDelay(true);
            echo(socket, hello);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static void echo(Socket socket, byte[] word) throws IOException {
        socket.getOutputStream().write(word);
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        InputStream in = socket.getInputStream();
        byte[] piece = new byte[word.length];
        while (got.size() < word.length) {
            int read = in.read(piece, 0, word.length - got.size());
            if (read < 0) {
                byte[] all = got.toByteArray();
                throw new EOFException(
                        all.length == 7 && all[0] == 21 ? "alert " + all[6] : "the end after " + all.length);
            }
            got.write(piece, 0, read);
        }
        if (!Arrays.equals(got.toByteArray(), word)) {
            throw new IOException("something else came back");
        }
    }

    private void attempt() {
        long begun = System.currentTimeMillis();
        String result = "ok";
        try (Socket socket = open()) {
            socket.shutdownOutput();
            while (socket.getInputStream().read() >= 0) {
                // the end is what is waited for
            }
        } catch (IOException e) {
            result = String.valueOf(e.getMessage()).replace('\n', ' ');
        }
        log.println("new " + begun + " " + System.currentTimeMillis() + " " + result);
    }

    private void hold() {
        byte[] word = "a word\n".getBytes(StandardCharsets.US_ASCII);
        while (!over) {
            long since = System.currentTimeMillis();
            boolean open = false;
            try (Socket socket = open()) {
                open = true;
                // the network may be away for a while
                socket.setSoTimeout(120_000);
                while (!over) {
                    Thread.sleep(1_000);
                    echo(socket, word);
                }
            } catch (IOException e) {
                if (open && !over) {
                    log.println("held " + since + " " + System.currentTimeMillis() + " " + e.getMessage());
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
