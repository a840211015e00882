import io.webproxy.ProxyServer;
import io.webproxy.port.BytePattern;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A server whose port rules change again and again under load, while sessions of {@code ssh} are live that came in by a
 * rule that is gone since. Arguments: the URI of a service that answers HTTP, the address of an OpenSSH server, a
 * directory with its {@code known} hosts and the key {@code user}, how many swaps, and how many sessions. Ends with 1
 * when a session ended, or a new connection or a request failed.
 */
public final class PortSwaps {
    private static final int CLIENTS = 4;
    private static final byte[] BANNER = "SSH-2.0-swaps\r\n".getBytes(StandardCharsets.US_ASCII);

    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicLong relays = new AtomicLong();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicBoolean over = new AtomicBoolean();

    private PortSwaps() {}

    public static void main(String[] args) throws Exception {
        System.exit(
                new PortSwaps()
                                .run(
                                        args[0].replaceAll("/$", ""),
                                        args[1],
                                        Path.of(args[2]),
                                        Integer.parseInt(args[3]),
                                        Integer.parseInt(args[4]))
                        ? 0
                        : 1);
    }

    private boolean run(String service, String sshd, Path directory, int times, int count) throws Exception {
        try (ServerSocket one = target();
                ServerSocket other = target();
                ProxyServer proxy = ProxyServer.builder()
                        .bind("127.0.0.1")
                        .listen(0, port -> port.name("port").ssh(sshd).http())
                        .forward(service)
                        .drainTime(Duration.ofSeconds(1))
                        .start()) {
            int port = proxy.endpoints().get(0).address().getPort();
            List<Session> sessions = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sessions.add(new Session(command(directory, port)));
            }
            int live = echoing(sessions);
            if (live < count) {
                System.out.println(live + " of " + count + " sessions came up: NOT OK");
                return false;
            }
            List<Consumer<PortBuilder>> rules =
                    rules("127.0.0.1:" + one.getLocalPort(), "127.0.0.1:" + other.getLocalPort());
            proxy.update(c -> c.listen(0, rules.get(0)));
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                threads.add(start(() -> relay(port)));
                threads.add(start(() -> request(port)));
            }
            for (int i = 0; i < times; i++) {
                Consumer<PortBuilder> next = rules.get(i % rules.size());
                proxy.update(c -> c.listen(0, next));
                // so that each is in force for some of the load
                Thread.sleep(5);
                if (!sessions.get(i % count).echoes("swap " + i)) {
                    failed("session " + i % count + " at swap " + i, null);
                }
            }
            over.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            live = echoing(sessions);
            proxy.update(c -> c.listen(0, rule -> rule.name("port").ssh(sshd).http()));
            Session last = new Session(command(directory, port));
            boolean served = last.echoes("last");
            last.close();
            for (Session session : sessions) {
                session.close();
            }
            boolean ok = failures.get() == 0 && live == count && served && relays.get() > times && requests.get() > 0;
            System.out.printf(
                    "%d swaps of port rules under load: %d relays and %d requests, %d failed; %d of %d ssh sessions"
                            + " live, a new one %s: %s%n",
                    times,
                    relays.get(),
                    requests.get(),
                    failures.get(),
                    live,
                    count,
                    served ? "comes up" : "does not come up",
                    ok ? "ok" : "NOT OK");
            return ok;
        }
    }

    /** Each relays SSH to a target that answers, by another rule; none is the one that the sessions came in by. */
    private static List<Consumer<PortBuilder>> rules(String one, String other) {
        return List.of(
                port -> port.name("port").ssh(one).http(),
                port -> port.name("port")
                        .http()
                        .tls(Sni.of("a.example.com"), other)
                        .ssh(other),
                port -> port.name("port")
                        .http()
                        .match("by-bytes", BytePattern.of("5353482d"), one, other)
                        .detectTime(Duration.ofMillis(500)),
                port -> port.name("port").http().socks5(one).silent(one).otherwise(other));
    }

    private static List<String> command(Path directory, int port) {
        return List.of(
                "ssh",
                "-F",
                "none",
                "-p",
                Integer.toString(port),
                "-i",
                directory.resolve("user").toString(),
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=yes",
                "-o",
                "HostKeyAlias=host1",
                "-o",
                "UserKnownHostsFile=" + directory.resolve("known"),
                "-o",
                "ConnectTimeout=20",
                "-o",
                "LogLevel=ERROR",
                "127.0.0.1",
                "cat");
    }

    private static int echoing(List<Session> sessions) {
        int live = 0;
        for (Session session : sessions) {
            live += session.echoes("still there") ? 1 : 0;
        }
        return live;
    }

    private static Thread start(Runnable work) {
        Thread thread = new Thread(work);
        thread.start();
        return thread;
    }

    private void failed(String what, Exception why) {
        if (failures.incrementAndGet() <= 5) {
            System.out.println(what + (why == null ? "" : ": " + why));
        }
    }

    /** What the rules relay SSH to while the sessions are live: says what it is, and reads to the end. */
    private static ServerSocket target() throws IOException {
        ServerSocket server = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
        for (int i = 0; i < 2 * CLIENTS; i++) {
            Thread thread = new Thread(() -> {
                while (!server.isClosed()) {
                    try (Socket one = server.accept()) {
                        one.getOutputStream().write(BANNER);
                        one.getInputStream().readAllBytes();
                    } catch (IOException e) {
                        // the next one
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        return server;
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout(15_000);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 15_000);
        return socket;
    }

    private void relay(int port) {
        while (!over.get()) {
            try (Socket socket = connect(port)) {
                socket.getOutputStream().write(BANNER);
                String banner =
                        new String(socket.getInputStream().readNBytes(BANNER.length), StandardCharsets.US_ASCII);
                if (!banner.startsWith("SSH-2.0-swaps")) {
                    throw new IOException("'" + banner + "' (expected: a banner)");
                }
                relays.incrementAndGet();
            } catch (IOException e) {
                failed("a relay", e);
            }
        }
    }

    private void request(int port) {
        byte[] request = "GET /api/hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII);
        while (!over.get()) {
            try (Socket socket = connect(port)) {
                socket.getOutputStream().write(request);
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
                if (!answer.startsWith("HTTP/1.1 200 ")) {
                    throw new IOException("'" + answer.lines().findFirst().orElse("") + "' (expected: 200)");
                }
                requests.incrementAndGet();
            } catch (IOException e) {
                failed("a request", e);
            }
        }
    }

    /** A live session that sends back lines. */
    private static final class Session {
        private final Process process;
        private final BufferedReader in;
        private final BufferedWriter out;

        Session(List<String> command) throws IOException {
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            in = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            out = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        }

        boolean echoes(String line) {
            try {
                out.write(line + "\n");
                out.flush();
                for (int i = 0; i < 3000 && !in.ready() && process.isAlive(); i++) {
                    Thread.sleep(10);
                }
                return process.isAlive() && in.ready() && line.equals(in.readLine());
            } catch (IOException e) {
                return false;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        void close() throws Exception {
            try {
                out.close();
            } catch (IOException e) {
                // it has ended
            }
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }
}
