import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/**
 * Programs that bring clients to a service which only dials out, in turns: CPU time of both of their sides, by {@code /proc}, for each MB of one stream and for each short
 * connection, the throughput of one stream, and the time from connecting to the first byte, with connections that are ready and after a pause without any. Clients
 * and the target, which reads a ClientHello and a command, are in this JVM, whose time isn't counted.
 *
 * <p>Arguments: rounds, MiB, short connections, rounds of warm-up, seconds of the pause, server name, port of the target, and for each program {@code
 * name:pid of the public side:pid of the private side:port}; the one called {@code webproxy} is judged by those called {@code frp} (must not be above) and {@code rathole}
 * (at most LEVEL times, a system property).
 */
public final class TunnelPeers {
    private static final InetAddress HOST = InetAddress.getLoopbackAddress();
    private static final int CLIENTS = 8;
    private static final int MILLIS = 30_000;

    private record Program(String name, long outer, long inner, int port) {}

    private final double hertz = Double.parseDouble(System.getProperty("hertz", "100"));
    private final double level = Double.parseDouble(System.getProperty("level", "1.1"));
    private final List<Program> programs = new ArrayList<>();
    private final Map<String, Map<String, List<Double>>> figures = new LinkedHashMap<>();
    private final byte[] hello;
    private int lost;

    private TunnelPeers(byte[] hello) {
        this.hello = hello;
    }

    public static void main(String[] args) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine(args[5], 443);
        engine.setUseClientMode(true);
        ByteBuffer out = ByteBuffer.allocate(32768);
        engine.wrap(ByteBuffer.allocate(0), out);
        TunnelPeers peers = new TunnelPeers(Arrays.copyOf(out.array(), out.position()));
        for (String argument : List.of(args).subList(7, args.length)) {
            String[] words = argument.split(":");
            peers.programs.add(new Program(
                    words[0], Long.parseLong(words[1]), Long.parseLong(words[2]), Integer.parseInt(words[3])));
        }
        ServerSocket server = new ServerSocket(Integer.parseInt(args[6]), 1024, HOST);
        Thread target = new Thread(() -> peers.serve(server));
        target.setDaemon(true);
        target.start();
        System.exit(
                peers.run(
                                Integer.parseInt(args[0]),
                                Long.parseLong(args[1]) << 20,
                                Integer.parseInt(args[2]),
                                Integer.parseInt(args[3]),
                                Integer.parseInt(args[4]))
                        ? 0
                        : 1);
    }

    private boolean run(int rounds, long bytes, int connections, int warmUp, int pause) throws Exception {
        for (int i = 0; i < warmUp; i++) {
            for (Program program : programs) {
                // a JVM needs more of it
                if (i == 0 || program.name.equals("webproxy")) {
                    stream(program, Math.max(bytes, 1 << 20), true);
                    stream(program, Math.max(bytes, 1 << 20), false);
                    connections(program, Math.max(connections, 500));
                }
            }
        }
        figures.clear();
        List<Program> order = new ArrayList<>(programs);
        for (int i = 0; i < rounds; i++) {
            Collections.rotate(order, 1);
            for (Program program : order) {
                if (bytes > 0) {
                    stream(program, bytes, true);
                }
            }
            for (Program program : order) {
                if (bytes > 0) {
                    stream(program, bytes, false);
                }
            }
            for (Program program : order) {
                if (connections > 0) {
                    connections(program, connections);
                }
            }
            for (Program program : order) {
                firstByte(program, 200, "first byte, ready, ms");
            }
            if (pause > 0) {
                Thread.sleep(1000L * pause);
                for (Program program : order) {
                    firstByte(program, 1, "first byte, after a pause, ms");
                }
            }
            System.err.println("round " + (i + 1) + " of " + rounds);
        }
        return report();
    }

    private boolean report() {
        System.out.printf(
                "%-34s",
                "medians of "
                        + figures.values()
                                .iterator()
                                .next()
                                .values()
                                .iterator()
                                .next()
                                .size() + " rounds");
        programs.forEach(program -> System.out.printf("%12s", program.name));
        System.out.println();
        boolean ok = lost == 0;
        for (Map.Entry<String, Map<String, List<Double>>> figure : figures.entrySet()) {
            System.out.printf("%-34s", figure.getKey());
            programs.forEach(program ->
                    System.out.printf("%12.3f", median(figure.getValue().get(program.name))));
            for (Map.Entry<String, Double> rule :
                    Map.of("frp", 1.0, "rathole", level).entrySet()) {
                double ratio = ratio(figure.getValue(), rule.getKey());
                if (!Double.isNaN(ratio)) {
                    // more is better for one of them
                    boolean good = figure.getKey().startsWith("MB/s")
                            ? ratio >= 1 / rule.getValue()
                            : ratio <= rule.getValue();
                    ok &= good;
                    System.out.printf("  %.2f of %s%s", ratio, rule.getKey(), good ? "" : ": FAILED");
                }
            }
            System.out.println();
        }
        System.out.println(lost + " connections were lost");
        return ok;
    }

    /** The median of the ratios within a round, which the load of the machine moves least. */
    private static double ratio(Map<String, List<Double>> values, String other) {
        List<Double> ours = values.get("webproxy");
        List<Double> theirs = values.get(other);
        if (ours == null || theirs == null) {
            return Double.NaN;
        }
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < Math.min(ours.size(), theirs.size()); i++) {
            // a tick is the least that can be seen
            ratios.add(Math.max(ours.get(i), 1e-9) / Math.max(theirs.get(i), 1e-9));
        }
        return median(ratios);
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
    }

    private void note(String figure, Program program, double value) {
        figures.computeIfAbsent(figure, same -> new LinkedHashMap<>())
                .computeIfAbsent(program.name, same -> new ArrayList<>())
                .add(value);
    }

    private double micros(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * 1e6 / hertz;
    }

    private Socket open(Program program, char command, long count) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(HOST, program.port), MILLIS);
        socket.setSoTimeout(MILLIS);
        socket.setTcpNoDelay(true);
        byte[] first = Arrays.copyOf(hello, hello.length + 9);
        ByteBuffer.wrap(first, hello.length, 9).put((byte) command).putLong(count);
        socket.getOutputStream().write(first);
        return socket;
    }

    private void stream(Program program, long bytes, boolean down) throws IOException {
        double outer = micros(program.outer);
        double inner = micros(program.inner);
        long start = System.nanoTime();
        try (Socket socket = open(program, down ? 'D' : 'U', bytes)) {
            if (down) {
                read(socket, bytes);
            } else {
                write(socket, bytes);
            }
            read(socket, 1);
        }
        String way = down ? "down" : "up";
        double megabytes = bytes / 1e6;
        note("MB/s, one stream " + way, program, megabytes / ((System.nanoTime() - start) / 1e9));
        note("µs of CPU for a MB " + way + ", public", program, (micros(program.outer) - outer) / megabytes);
        note("µs of CPU for a MB " + way + ", private", program, (micros(program.inner) - inner) / megabytes);
    }

    private void connections(Program program, int count) throws Exception {
        double outer = micros(program.outer);
        double inner = micros(program.inner);
        AtomicInteger left = new AtomicInteger(count);
        AtomicInteger failures = new AtomicInteger();
        Thread[] threads = new Thread[CLIENTS];
        for (int i = 0; i < CLIENTS; i++) {
            threads[i] = new Thread(() -> {
                while (left.getAndDecrement() > 0) {
                    try (Socket socket = open(program, 'D', 99)) {
                        read(socket, 100);
                    } catch (IOException e) {
                        failures.incrementAndGet();
                    }
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (failures.get() > 0) {
            System.out.println(program.name + ": " + failures + " of " + count + " connections were lost");
            lost += program.name.equals("webproxy") ? failures.get() : 0;
        }
        note("µs of CPU for a connection, public", program, (micros(program.outer) - outer) / count);
        note("µs of CPU for a connection, private", program, (micros(program.inner) - inner) / count);
    }

    private void firstByte(Program program, int count, String figure) throws Exception {
        List<Double> times = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long start = System.nanoTime();
            try (Socket socket = open(program, 'D', 0)) {
                read(socket, 1);
                times.add((System.nanoTime() - start) / 1e6);
            }
            // a visitor now and then
            Thread.sleep(count == 1 ? 0 : 3);
        }
        note(figure, program, median(times));
    }

    private static void read(Socket socket, long count) throws IOException {
        InputStream in = socket.getInputStream();
        byte[] piece = new byte[1 << 16];
        for (long left = count; left > 0; ) {
            int read = in.read(piece, 0, (int) Math.min(left, piece.length));
            if (read < 0) {
                throw new EOFException(left + " bytes are missing");
            }
            left -= read;
        }
    }

    private static void write(Socket socket, long count) throws IOException {
        byte[] piece = new byte[1 << 16];
        for (long left = count; left > 0; left -= Math.min(left, piece.length)) {
            socket.getOutputStream().write(piece, 0, (int) Math.min(left, piece.length));
        }
    }

    private void serve(ServerSocket server) {
        try {
            while (true) {
                Socket socket = server.accept();
                Thread thread = new Thread(() -> {
                    try (socket) {
                        socket.setTcpNoDelay(true);
                        byte[] first = socket.getInputStream().readNBytes(hello.length + 9);
                        if (first.length < hello.length + 9) {
                            return;
                        }
                        ByteBuffer command = ByteBuffer.wrap(first, hello.length, 9);
                        boolean down = command.get() == 'D';
                        if (down) {
                            write(socket, command.getLong());
                        } else {
                            read(socket, command.getLong());
                        }
                        socket.getOutputStream().write(1);
                        socket.shutdownOutput();
                        socket.getInputStream().read();
                    } catch (IOException e) {
                        // the client counts it
                    }
                });
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException e) {
            System.err.println("the target has ended: " + e);
        }
    }
}
