import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * Programs that relay SSH from one port, in turns: their CPU time, by their control groups or else by {@code /proc}, for each MB in either direction
 * and for each short connection; how many idle relays they hold; and what one costs this proxy in heap and direct memory. The clients and the target, which
 * speaks no more of SSH than its first line, are in this JVM, whose time isn't counted.
 *
 * <p>Arguments: how many rounds, MiB each way, short connections, idle relays, rounds of warm-up, the highest ratio to {@code sslh} that is allowed, the most
 * bytes that an idle relay may take, and for each program {@code name:pid:port:port of its target:file of its control group}, where the last may be empty; the one called {@code webproxy} is judged.
 */
public final class PortVersus {
    private static final byte[] BANNER = "SSH-2.0-load\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int STREAMS = 4;
    private static final int CLIENTS = 8;
    private static final byte[] ANSWER = new byte[100];
    private static final InetAddress HOST = InetAddress.getLoopbackAddress();

    /**
     * One program.
     *
     * @param group the file by which the kernel tells what its control group has used; empty where it has none of its own
     */
    private record Program(String name, long pid, int port, int target, String group, AtomicInteger lost) {
        boolean isOurs() {
            return name.equals("webproxy");
        }

        boolean isGroup() {
            return !group.isEmpty();
        }

        /** What its control group has used so far, in microseconds: of all its processes, those that have ended too. */
        double groupMicros() throws IOException {
            String text = Files.readString(Path.of(group));
            return text.startsWith("usage_usec ")
                    ? Long.parseLong(text.substring(11, text.indexOf('\n')))
                    : Long.parseLong(text.strip()) / 1e3;
        }

        /** User and system time so far, in clock ticks (proc(5)). */
        long ticks() throws IOException {
            return ticks(pid);
        }

        /** The same of the processes that it has now, by their ids, where they are known. */
        void ofProcesses(Map<String, Long> ticks) {
            try {
                String children = Files.readString(Path.of("/proc/" + pid + "/task/" + pid + "/children"));
                for (String child : children.split(" ")) {
                    if (!child.isBlank()) {
                        ticks.put(child, ticks(Long.parseLong(child)));
                    }
                }
            } catch (IOException e) {
                // one has just ended
            }
        }

        private static long ticks(long pid) throws IOException {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] values = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return Long.parseLong(values[11]) + Long.parseLong(values[12]);
        }

        /** Zero once it has ended. */
        long residentKib() {
            try {
                for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
                    if (line.startsWith("VmRSS:")) {
                        return Long.parseLong(line.split("\\s+")[1]);
                    }
                }
            } catch (IOException e) {
                // it has
            }
            return 0;
        }

        boolean lives() {
            return residentKib() > 0;
        }
    }

    private interface Load {
        void run(Program program) throws Exception;
    }

    private final List<Program> programs = new ArrayList<>();
    private final Map<String, List<Double>> figures = new HashMap<>();
    private final double hertz;

    private PortVersus(double hertz) {
        this.hertz = hertz;
    }

    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[0]);
        long bytes = Long.parseLong(args[1]) << 20;
        int connections = Integer.parseInt(args[2]);
        int idle = Integer.parseInt(args[3]);
        int warmUp = Integer.parseInt(args[4]);
        double most = Double.parseDouble(args[5]);
        long mostMemory = Long.parseLong(args[6]);
        PortVersus versus = new PortVersus(Double.parseDouble(System.getProperty("hertz", "100")));
        for (String argument : List.of(args).subList(7, args.length)) {
            String[] words = argument.split(":");
            versus.programs.add(new Program(
                    words[0],
                    Long.parseLong(words[1]),
                    Integer.parseInt(words[2]),
                    Integer.parseInt(words[3]),
                    words.length > 4 ? words[4] : "",
                    new AtomicInteger()));
        }
        for (Program program : versus.programs) {
            new Target(program.target()).start();
        }
        System.exit(versus.run(rounds, bytes, connections, idle, warmUp, most, mostMemory) ? 0 : 1);
    }

    private boolean run(int rounds, long bytes, int connections, int idle, int warmUp, double most, long mostMemory)
            throws Exception {
        for (Program program : programs) {
            boolean ours = program.isOurs();
            for (int i = 0; i < (ours ? warmUp : 1); i++) {
                bulk(program, bytes, true);
                bulk(program, bytes, false);
                brief(program, connections);
            }
        }
        System.out.printf("%-6s %-10s %10s %10s %12s%n", "round", "program", "up us/MB", "down us/MB", "us/connection");
        for (int round = 1; round <= rounds; round++) {
            Collections.rotate(programs, 1);
            for (Program program : programs) {
                double up = cost(program, "up", bytes / 1e6, p -> bulk(p, bytes, true));
                double down = cost(program, "down", bytes / 1e6, p -> bulk(p, bytes, false));
                double one = cost(program, "connection", connections, p -> brief(p, connections));
                System.out.printf("%-6d %-10s %10.0f %10.0f %12.1f%n", round, program.name(), up, down, one);
            }
        }
        boolean ok = true;
        for (String what : List.of("up", "down", "connection")) {
            double ours = median("webproxy", what);
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-10s webproxy %.1f us", what, ours));
            for (Program program : programs) {
                if (!program.isOurs()) {
                    double theirs = median(program.name(), what);
                    line.append(String.format(
                            Locale.ROOT, ", %s %.1f us (ratio %.2f)", program.name(), theirs, ours / theirs));
                }
            }
            boolean good = ours <= most * median("sslh", what);
            ok &= good;
            System.out.println(line + (good ? ": ok" : ": FAILED (at most " + most + " of sslh's)"));
        }
        // Last, as not every program lives after more descriptors than select(2) takes.
        programs.sort((a, b) -> Boolean.compare(b.isOurs(), a.isOurs()));
        for (Program program : programs) {
            ok &= idle(program, idle, mostMemory);
        }
        return ok;
    }

    private double cost(Program program, String what, double units, Load load) throws Exception {
        double micros;
        if (program.isGroup()) {
            double before = program.groupMicros();
            load.run(program);
            micros = (program.groupMicros() - before) / units;
        } else {
            micros = sampled(program, load) / units;
        }
        figures.computeIfAbsent(program.name() + " " + what, key -> new ArrayList<>())
                .add(micros);
        return micros;
    }

    /** What a program and the processes that it has now and then take, in microseconds. */
    private double sampled(Program program, Load load) throws Exception {
        Map<String, Long> processes = new ConcurrentHashMap<>();
        program.ofProcesses(processes);
        long before = program.ticks() + sum(processes);
        AtomicBoolean over = new AtomicBoolean();
        Thread sampler = new Thread(() -> {
            // the kernel forgets what a process took that its parent doesn't wait for: those that live for less than
            // this are left out
            while (!over.get()) {
                program.ofProcesses(processes);
                LockSupport.parkNanos(20_000_000);
            }
        });
        sampler.start();
        try {
            load.run(program);
        } finally {
            over.set(true);
            sampler.join();
        }
        return (program.ticks() + sum(processes) - before) / hertz * 1e6;
    }

    private static long sum(Map<String, Long> ticks) {
        return ticks.values().stream().mapToLong(Long::longValue).sum();
    }

    private double median(String program, String what) {
        List<Double> sorted = new ArrayList<>(figures.getOrDefault(program + " " + what, List.of(Double.NaN)));
        Collections.sort(sorted);
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    private static Socket connect(Program program, String command) throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout(60_000);
        socket.connect(new InetSocketAddress(HOST, program.port()), 10_000);
        socket.setTcpNoDelay(true);
        socket.getOutputStream().write(BANNER);
        if (!Arrays.equals(socket.getInputStream().readNBytes(BANNER.length), BANNER)) {
            socket.close();
            throw new IOException(program.name() + ": no banner");
        }
        socket.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /** All bytes in one direction, by some streams at once. */
    private static void bulk(Program program, long bytes, boolean up) throws Exception {
        together(program, STREAMS, () -> {
            long share = bytes / STREAMS;
            byte[] buffer = new byte[1 << 17];
            try (Socket socket = connect(program, (up ? "take " : "give ") + share)) {
                if (up) {
                    for (long sent = 0; sent < share; ) {
                        int piece = (int) Math.min(buffer.length, share - sent);
                        socket.getOutputStream().write(buffer, 0, piece);
                        sent += piece;
                    }
                    if (socket.getInputStream().read() != '!') {
                        throw new IOException(program.name() + " has lost bytes");
                    }
                } else {
                    long got = count(socket.getInputStream(), buffer);
                    if (got != share) {
                        throw new IOException(program.name() + ": " + got + " bytes of " + share);
                    }
                }
            }
        });
    }

    /** Connections of one small answer each, which the target ends. */
    private static void brief(Program program, int connections) throws Exception {
        AtomicInteger left = new AtomicInteger(connections);
        together(program, CLIENTS, () -> {
            byte[] buffer = new byte[1024];
            while (left.get() > 0) {
                try (Socket socket = connect(program, "short")) {
                    if (count(socket.getInputStream(), buffer) != ANSWER.length) {
                        throw new IOException(program.name() + ": a short connection got another answer");
                    }
                    left.decrementAndGet();
                }
            }
        });
    }

    private static long count(InputStream in, byte[] buffer) throws IOException {
        long got = 0;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            got += n;
        }
        return got;
    }

    private interface Work {
        void run() throws IOException;
    }

    /** Some threads that do the same; what another program than this proxy loses is counted, and done again. */
    private static void together(Program program, int threads, Work work) throws Exception {
        List<Thread> all = new ArrayList<>();
        List<IOException> failures = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < threads; i++) {
            Thread thread = new Thread(() -> {
                for (int tries = 100; tries > 0; tries--) {
                    try {
                        work.run();
                        return;
                    } catch (IOException e) {
                        program.lost().incrementAndGet();
                        if (tries == 1 || program.isOurs() || !program.lives()) {
                            failures.add(new IOException(program.name() + ": " + e, e));
                            return;
                        }
                    }
                }
            });
            thread.start();
            all.add(thread);
        }
        for (Thread thread : all) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw failures.get(0);
        }
    }

    /** Opens idle relays, says how many a program holds and, of this proxy, what each costs. */
    private static boolean idle(Program program, int count, long mostMemory) throws Exception {
        boolean ours = program.isOurs();
        Inside inside = null;
        if (ours) {
            inside = new Inside(program.pid());
            close(open(program, count));
        }
        long before = ours ? inside.used() : 0;
        long heapBefore = ours ? inside.heap : 0;
        long residentBefore = program.residentKib();
        List<Socket> open = open(program, count);
        int held = 0;
        for (Socket socket : open) {
            held += echoes(socket) ? 1 : 0;
        }
        String lost = program.lost().get() == 0 ? "" : program.lost() + " connections lost before, ";
        String said = program.name() + ": " + lost + held + " idle relays of " + count + " held";
        if (!program.lives()) {
            System.out.println(said + ", the program has ended");
            close(open);
            return !ours;
        }
        long resident = program.residentKib() - residentBefore;
        boolean ok = true;
        if (ours) {
            long after = inside.used();
            double each = (double) (after - before) / Math.max(1, held);
            ok = held == count && each <= mostMemory;
            System.out.printf(
                    "%s, %.0f bytes of heap and direct memory each, %.0f of them heap: %s%n",
                    said,
                    each,
                    (double) (inside.heap - heapBefore) / Math.max(1, held),
                    ok ? "ok" : "FAILED (at most " + mostMemory + ")");
            inside.connector.close();
        } else {
            System.out.printf("%s, %.1f KiB of resident memory each%n", said, (double) resident / Math.max(1, held));
        }
        close(open);
        return ok;
    }

    private static List<Socket> open(Program program, int count) {
        List<Socket> open = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Socket socket;
            try {
                socket = connect(program, "hold");
                open.add(socket);
                socket.setSoTimeout(5_000);
                if (!echoes(socket)) {
                    return open;
                }
            } catch (IOException e) {
                return open;
            }
        }
        return open;
    }

    private static boolean echoes(Socket socket) {
        try {
            socket.getOutputStream().write('x');
            return socket.getInputStream().read() == 'x';
        } catch (IOException e) {
            return false;
        }
    }

    private static void close(List<Socket> sockets) throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    /** A look into another JVM. */
    private static final class Inside {
        private final JMXConnector connector;
        private final MemoryMXBean memory;
        private final List<BufferPoolMXBean> pools;
        private long heap;

        Inside(long pid) throws Exception {
            VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
            String address = machine.startLocalManagementAgent();
            machine.detach();
            connector = JMXConnectorFactory.connect(new JMXServiceURL(address));
            MBeanServerConnection beans = connector.getMBeanServerConnection();
            memory = ManagementFactory.getPlatformMXBean(beans, MemoryMXBean.class);
            pools = ManagementFactory.getPlatformMXBeans(beans, BufferPoolMXBean.class);
        }

        /** Heap after collections, twice for what cleaners and references let go, and the memory of all buffers outside the heap. */
        long used() throws InterruptedException {
            for (int i = 0; i < 3; i++) {
                memory.gc();
                Thread.sleep(1_000);
            }
            memory.gc();
            heap = memory.getHeapMemoryUsage().getUsed();
            long all = heap;
            for (BufferPoolMXBean pool : pools) {
                all += pool.getMemoryUsed();
            }
            return all;
        }
    }

    /**
     * The service that all connections are relayed to. It says what it is at once, as SSH servers do. The client's second line says what it does: {@code take N} reads that many bytes, and answers one;
     * {@code give N} sends them; {@code short} sends a small answer and ends; {@code hold} sends back what comes.
     */
    private static final class Target {
        private final int port;
        private final ServerSocketChannel server;

        Target(int port) throws IOException {
            this.port = port;
            server = ServerSocketChannel.open();
            server.bind(new InetSocketAddress(HOST, port), 4096);
        }

        void start() throws IOException {
            Selector selector = Selector.open();
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT);
            Thread thread = new Thread(() -> {
                try {
                    serve(selector);
                } catch (IOException e) {
                    throw new UncheckedIOException("target " + port, e);
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        private void serve(Selector selector) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 17);
            while (true) {
                selector.select();
                for (SelectionKey key : selector.selectedKeys()) {
                    if (key.isAcceptable()) {
                        for (SocketChannel channel = server.accept(); channel != null; channel = server.accept()) {
                            channel.configureBlocking(false);
                            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                            channel.write(ByteBuffer.wrap(BANNER));
                            channel.register(selector, SelectionKey.OP_READ, new Visit());
                        }
                        continue;
                    }
                    SocketChannel channel = (SocketChannel) key.channel();
                    try {
                        if (!((Visit) key.attachment()).goOn(key, channel, buffer)) {
                            channel.close();
                        }
                    } catch (IOException e) {
                        channel.close();
                    }
                }
                selector.selectedKeys().clear();
            }
        }
    }

    /** One connection to the target. */
    private static final class Visit {
        private final StringBuilder lines = new StringBuilder();
        private String command = "";
        private long left;

        /** Whether it stays open. */
        boolean goOn(SelectionKey key, SocketChannel channel, ByteBuffer buffer) throws IOException {
            buffer.clear();
            if (key.isReadable()) {
                if (channel.read(buffer) < 0) {
                    return false;
                }
                buffer.flip();
                while (command.isEmpty() && buffer.hasRemaining()) {
                    lines.append((char) buffer.get());
                    String[] both = lines.toString().split("\n", -1);
                    if (both.length == 3) {
                        String[] words = both[1].split(" ");
                        command = words[0];
                        left = words.length > 1 ? Long.parseLong(words[1]) : 0;
                        if (command.equals("give")) {
                            key.interestOps(SelectionKey.OP_WRITE);
                        } else if (command.equals("short")) {
                            channel.write(ByteBuffer.wrap(ANSWER));
                            return false;
                        }
                    }
                }
                if (command.equals("take") && buffer.hasRemaining()) {
                    left -= buffer.remaining();
                    if (left == 0) {
                        channel.write(ByteBuffer.wrap(new byte[] {'!'}));
                    }
                } else if (command.equals("hold") && buffer.hasRemaining()) {
                    channel.write(buffer);
                }
                return true;
            }
            buffer.limit((int) Math.min(buffer.capacity(), left));
            left -= channel.write(buffer);
            return left > 0;
        }
    }
}
