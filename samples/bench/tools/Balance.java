import io.webproxy.ProxyServer;
import io.webproxy.route.Balancing;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.timeout.TimeoutPolicy;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * How policies spread requests over upstreams, all in one JVM: {@code spread} counts 10,000 requests for each policy,
 * and looks whether clients stay where they were; {@code slow} compares latencies with one slow upstream of three,
 * which serves one request at a time. Ends with 1 when something isn't as it should be.
 */
public final class Balance {
    private static final int REQUESTS = 10_000;
    private static final int CLIENTS = 32;
    private static final int ADDRESSES = 2000;
    private static boolean ok = true;

    private Balance() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("spread")) {
            spread();
        } else {
            slow(Integer.parseInt(args[1]));
        }
        System.out.println(ok ? "ok" : "NOT OK");
        System.exit(ok ? 0 : 1);
    }

    private static void must(boolean holds, String what) {
        if (!holds) {
            ok = false;
            System.out.println("NOT: " + what);
        }
    }

    private static Map<String, Balancing> policies() {
        Map<String, Balancing> policies = new LinkedHashMap<>();
        policies.put("roundRobin", Balancing.roundRobin());
        policies.put("leastConnections", Balancing.leastConnections());
        policies.put("powerOfTwoChoices", Balancing.powerOfTwoChoices());
        policies.put("failover", Balancing.failover());
        policies.put("clientAddressHash", Balancing.clientAddressHash());
        return policies;
    }

    private static void spread() throws Exception {
        List<Upstream> upstreams = new ArrayList<>();
        for (String name : List.of("a", "b", "c", "d")) {
            upstreams.add(new Upstream(name, 0));
        }
        for (Map.Entry<String, Balancing> policy : policies().entrySet()) {
            try (ProxyServer proxy = proxy(policy.getValue(), upstreams)) {
                upstreams.forEach(upstream -> upstream.served.set(0));
                Load load = new Load(proxy);
                load.run(REQUESTS);
                int[] served = upstreams.stream().mapToInt(u -> u.served.get()).toArray();
                System.out.printf("%-18s %s failed=%d%n", policy.getKey(), Arrays.toString(served), load.failed.get());
                must(load.failed.get() == 0, "no request fails");
                int even = REQUESTS / 4;
                int least = Arrays.stream(served).min().orElseThrow();
                int most = Arrays.stream(served).max().orElseThrow();
                switch (policy.getKey()) {
                    case "roundRobin" -> must(least == even && most == even, "exactly even");
                    case "failover" -> must(served[0] == REQUESTS, "all at the first");
                    default -> must(least > even * 0.8 && most < even * 1.2, "even within 20 %");
                }
                if (policy.getKey().equals("clientAddressHash")) {
                    stay(proxy, load, upstreams);
                }
            }
        }
    }

    private static void stay(ProxyServer proxy, Load load, List<Upstream> upstreams) throws Exception {
        must(load.moved.get() == 0, "every address at one upstream");
        Map<Integer, String> before = new HashMap<>(load.places);
        List<Upstream> rest = new ArrayList<>(upstreams);
        rest.remove(1);
        proxy.update(config -> config.route(route -> forward(route, Balancing.clientAddressHash(), rest)));
        load.places.clear();
        load.run(ADDRESSES);
        int[] counts = new int[3];
        before.forEach((address, place) -> {
            String now = load.places.getOrDefault(address, "nowhere");
            counts[place.equals("b") ? (now.equals("b") ? 2 : 1) : (now.equals(place) ? 0 : 2)]++;
        });
        System.out.printf(
                "  %d addresses, %d requests elsewhere than the first of the address; without b: %d stay, %d of b's"
                        + " move, %d otherwise%n",
                before.size(), load.moved.get(), counts[0], counts[1], counts[2]);
        must(load.failed.get() == 0, "no request fails");
        must(counts[0] > 0 && counts[1] > 0 && counts[2] == 0, "only the clients of the one that is gone move");
    }

    private static void slow(int seconds) throws Exception {
        List<Upstream> upstreams = List.of(new Upstream("a", 0), new Upstream("b", 0), new Upstream("slow", 40));
        Map<String, Double> p99 = new HashMap<>();
        for (String name : List.of("roundRobin", "leastConnections", "powerOfTwoChoices")) {
            try (ProxyServer proxy = proxy(policies().get(name), upstreams)) {
                new Load(proxy).run(2000, 2);
                upstreams.forEach(upstream -> upstream.served.set(0));
                Load load = new Load(proxy);
                load.run(Integer.MAX_VALUE, seconds);
                long[] sorted = load.nanos.stream().mapToLong(n -> n).sorted().toArray();
                p99.put(name, sorted[sorted.length * 99 / 100] / 1e6);
                System.out.printf(
                        "%-18s requests=%d slow=%d failed=%d p50=%.1f ms p99=%.1f ms%n",
                        name,
                        sorted.length,
                        upstreams.get(2).served.get(),
                        load.failed.get(),
                        sorted[sorted.length / 2] / 1e6,
                        p99.get(name));
                must(load.failed.get() == 0, "no request fails");
            }
        }
        double ratio = p99.get("roundRobin") / p99.get("leastConnections");
        System.out.printf("roundRobin / leastConnections at the 99th percentile: %.1f%n", ratio);
        must(ratio > 2, "leastConnections beats roundRobin");
    }

    private static ProxyServer proxy(Balancing policy, List<Upstream> upstreams) {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .http(0)
                .drainTime(Duration.ZERO)
                .timeouts(TimeoutPolicy.defaults())
                .trustedProxies("127.0.0.0/8")
                .route(route -> forward(route, policy, upstreams))
                .start();
    }

    private static void forward(Route.Builder route, Balancing policy, List<Upstream> upstreams) {
        route.forward(UpstreamGroup.of(upstreams.stream().map(Upstream::uri).toArray(String[]::new))
                .balancing(policy));
    }

    /** Answers with its name; a slow one serves one request at a time. */
    private static final class Upstream {
        private final String name;
        private final int millis;
        private final AtomicInteger served = new AtomicInteger();
        private final ReentrantLock turn = new ReentrantLock(true);
        private final ServerSocket server = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());

        Upstream(String name, int millis) throws IOException {
            this.name = name;
            this.millis = millis;
            daemon(() -> {
                while (true) {
                    Socket socket = server.accept();
                    daemon(() -> serve(socket));
                }
            });
        }

        String uri() {
            return "http://127.0.0.1:" + server.getLocalPort();
        }

        private void serve(Socket socket) throws Exception {
            try (socket) {
                socket.setTcpNoDelay(true);
                InputStream in = new BufferedInputStream(socket.getInputStream());
                byte[] answer = ("HTTP/1.1 200 OK\r\nContent-Length: " + name.length() + "\r\n\r\n" + name)
                        .getBytes(StandardCharsets.US_ASCII);
                while (head(in) != null) {
                    if (millis > 0) {
                        turn.lock();
                        try {
                            Thread.sleep(millis);
                        } finally {
                            turn.unlock();
                        }
                    }
                    served.incrementAndGet();
                    socket.getOutputStream().write(answer);
                }
            }
        }
    }

    /** Clients that ask one request after the other, each for an address of its own. */
    private static final class Load {
        private final int port;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger failed = new AtomicInteger();
        private final AtomicInteger moved = new AtomicInteger();
        private final Map<Integer, String> places = new ConcurrentHashMap<>();
        private final ConcurrentLinkedQueue<Long> nanos = new ConcurrentLinkedQueue<>();

        Load(ProxyServer proxy) {
            this.port = proxy.endpoints().get(0).address().getPort();
        }

        void run(int requests) throws Exception {
            run(requests, 600);
        }

        void run(int requests, int seconds) throws Exception {
            long end = System.nanoTime() + seconds * 1_000_000_000L;
            next.set(0);
            BooleanSupplier goesOn = () -> System.nanoTime() < end && next.get() < requests;
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                threads.add(daemon(() -> client(goesOn, requests)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }

        private void client(BooleanSupplier goesOn, int requests) throws Exception {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setTcpNoDelay(true);
                socket.setSoTimeout(30_000);
                InputStream in = new BufferedInputStream(socket.getInputStream());
                while (goesOn.getAsBoolean()) {
                    int id = next.getAndIncrement();
                    if (id < requests) {
                        ask(socket, in, id % ADDRESSES);
                    }
                }
            } catch (IOException | RuntimeException e) {
                failed.incrementAndGet();
            }
        }

        private void ask(Socket socket, InputStream in, int address) throws IOException {
            long start = System.nanoTime();
            socket.getOutputStream()
                    .write(("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.1." + address / 250 + "." + address % 250
                                    + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String head = head(in);
            if (head == null || !head.startsWith("HTTP/1.1 200 ")) {
                throw new IOException("no answer");
            }
            int at = head.toLowerCase(java.util.Locale.ROOT).indexOf("content-length:") + 15;
            int length =
                    Integer.parseInt(head.substring(at, head.indexOf('\r', at)).trim());
            String place = new String(in.readNBytes(length), StandardCharsets.US_ASCII);
            nanos.add(System.nanoTime() - start);
            String before = places.putIfAbsent(address, place);
            if (before != null && !before.equals(place)) {
                moved.incrementAndGet();
            }
        }
    }

    private interface Task {
        void run() throws Exception;
    }

    private static Thread daemon(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Exception e) {
                // the other side has gone
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || head.charAt(head.length() - 1) != '\n' || head.charAt(head.length() - 3) != '\n') {
            int b = in.read();
            if (b < 0) {
                return null;
            }
            head.append((char) b);
        }
        return head.toString();
    }
}
