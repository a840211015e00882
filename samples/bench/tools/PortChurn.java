import com.sun.tools.attach.VirtualMachine;
import java.io.File;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * Relays through a proxy in another process that are opened and cut in every phase of their life, and what is left of them: descriptors, threads and memory
 * outside the heap must be back where they were. Clients are cut by FIN and by RST in turns, and targets, too, where one is connected.
 *
 * <p>Arguments: the proxy's process id and port, the port of its target for SSH, the port of one that never answers a SYN, to which it relays what starts with
 * {@code hang}, how many relays in each phase, and how many of them at once.
 */
public final class PortChurn {
    private static final byte[] BANNER = "SSH-2.0-churn\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final InetAddress HOST = InetAddress.getLoopbackAddress();
    private static final int PATIENCE_SECONDS = 30;
    private static final int MANAGEMENT = 4;
    private static final long SLACK_BYTES = 1 << 20;

    /** When a relay is cut. */
    private enum Phase {
        NO_BYTE("", "", 1),
        IN_THE_BANNER("SSH-2.", "", 1),
        WHILE_CONNECTING("hang on", "", 2),
        IDLE("SSH-2.0-churn\r\n", "echo\n", 2),
        WITH_DATA("SSH-2.0-churn\r\n", "pour\n", 2),
        HALF_CLOSED_BY_THE_CLIENT("SSH-2.0-churn\r\n", "keep\n", 2),
        HALF_CLOSED_BY_THE_TARGET("SSH-2.0-churn\r\n", "end\n", 2);

        private final byte[] first;
        private final byte[] second;
        private final int descriptors;

        Phase(String first, String second, int descriptors) {
            this.descriptors = descriptors;
            this.first = first.getBytes(StandardCharsets.US_ASCII);
            this.second = second.getBytes(StandardCharsets.US_ASCII);
        }
    }

    private record Usage(long descriptors, long threads, long outside, long heap) {
        @Override
        public String toString() {
            return descriptors + " descriptors, " + threads + " threads, " + outside / 1024
                    + " KiB outside the heap, heap " + heap / 1024 + " KiB";
        }
    }

    private final long pid;
    private final int port;
    private final Target target;
    private final MemoryMXBean memory;
    private final List<BufferPoolMXBean> pools;

    private PortChurn(long pid, int port, Target target, JMXConnector connector) throws IOException {
        this.pid = pid;
        this.port = port;
        this.target = target;
        MBeanServerConnection beans = connector.getMBeanServerConnection();
        memory = ManagementFactory.getPlatformMXBean(beans, MemoryMXBean.class);
        pools = ManagementFactory.getPlatformMXBeans(beans, BufferPoolMXBean.class);
    }

    public static void main(String[] args) throws Exception {
        long pid = Long.parseLong(args[0]);
        int count = Integer.parseInt(args[4]);
        int together = Integer.parseInt(args[5]);
        Target target = new Target(Integer.parseInt(args[2]));
        List<SocketChannel> hole = hole(Integer.parseInt(args[3]));
        VirtualMachine machine = VirtualMachine.attach(args[0]);
        String address = machine.startLocalManagementAgent();
        machine.detach();
        boolean ok;
        try (JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(address))) {
            ok = new PortChurn(pid, Integer.parseInt(args[1]), target, connector).run(count, together);
        }
        for (SocketChannel one : hole) {
            one.close();
        }
        System.exit(ok ? 0 : 1);
    }

    /** Takes a port whose queue of connections is full from now on, so that SYNs to it are dropped. */
    private static List<SocketChannel> hole(int port) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open();
        server.bind(new InetSocketAddress(HOST, port), 1);
        List<SocketChannel> inside = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            SocketChannel one = SocketChannel.open();
            one.configureBlocking(false);
            one.connect(new InetSocketAddress(HOST, port));
            inside.add(one);
        }
        return inside;
    }

    private boolean run(int count, int together) throws Exception {
        for (Phase phase : Phase.values()) {
            if (churn(phase, 2 * together, together) < 2 * together) {
                System.out.println(phase + " can't be reached: FAILED");
                return false;
            }
        }
        Usage before = settled(null);
        System.out.println("before: " + before);
        for (Phase phase : Phase.values()) {
            long from = System.nanoTime();
            int reached = churn(phase, count, together);
            double seconds = (System.nanoTime() - from) / 1e9;
            Usage after = settled(before);
            boolean good = isBack(before, after) && reached == count;
            System.out.printf(
                    "%-26s %d of %d cut there in %.1f s; %s: %s%n",
                    phase.name().toLowerCase().replace('_', ' '),
                    reached,
                    count,
                    seconds,
                    after,
                    good ? "ok" : "FAILED");
            if (!good) {
                return false;
            }
        }
        try (SocketChannel last = open(Phase.IDLE)) {
            boolean served = reach(Phase.IDLE, last);
            System.out.println("a relay after all that: " + (served ? "ok" : "FAILED"));
            return served;
        }
    }

    private static boolean isBack(Usage before, Usage after) {
        return after.descriptors <= before.descriptors
                && after.threads <= before.threads
                && after.outside <= before.outside + SLACK_BYTES
                && after.heap <= before.heap + 2 * SLACK_BYTES;
    }

    private Usage settled(Usage expected) throws Exception {
        Usage now = null;
        for (int i = 0; i < PATIENCE_SECONDS; i++) {
            Thread.sleep(1_000);
            Usage last = now;
            now = usage();
            if (expected == null
                    ? i > 8 && last != null && last.descriptors == now.descriptors && last.threads == now.threads
                    : isBack(expected, now)) {
                return now;
            }
        }
        return now;
    }

    private Usage usage() throws IOException {
        memory.gc();
        memory.gc();
        long threads = 0;
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("Threads:")) {
                threads = Long.parseLong(line.split("\\s+")[1]);
            }
        }
        long outside = 0;
        for (BufferPoolMXBean pool : pools) {
            outside += pool.getMemoryUsed();
        }
        return new Usage(
                descriptors(), threads, outside, memory.getHeapMemoryUsage().getUsed());
    }

    private long descriptors() {
        String[] names = new File("/proc/" + pid + "/fd").list();
        return names == null ? 0 : names.length;
    }

    /** Waits for the proxy to have so many descriptors, but for those of management that are closed when they are idle. */
    private boolean hasOpened(long expected) throws InterruptedException {
        for (int i = 0; i < 500; i++) {
            if (descriptors() >= expected - MANAGEMENT) {
                return true;
            }
            Thread.sleep(10);
        }
        System.out.println(descriptors() + " descriptors (expected: " + expected + ")");
        return false;
    }

    /** Opens some relays at a time, brings each to the phase, and cuts all; how many got there. */
    private int churn(Phase phase, int count, int together) throws Exception {
        int reached = 0;
        for (int done = 0; done < count; done += together) {
            long before = descriptors();
            List<SocketChannel> open = new ArrayList<>();
            for (int i = 0; i < Math.min(together, count - done); i++) {
                open.add(open(phase));
            }
            int wave = reached;
            for (SocketChannel one : open) {
                if (!reach(phase, one)) {
                    break;
                }
                reached++;
            }
            boolean all = reached - wave == open.size() && hasOpened(before + (long) open.size() * phase.descriptors);
            boolean targetFirst = (done / together) % 2 == 1;
            if (targetFirst) {
                target.cut();
            }
            for (int i = 0; i < open.size(); i++) {
                if (i % 2 == 0) {
                    open.get(i).setOption(StandardSocketOptions.SO_LINGER, 0);
                }
                open.get(i).close();
            }
            if (!targetFirst) {
                target.cut();
            }
            if (!all) {
                return Math.min(reached, count - 1);
            }
            // those of the next wave are counted from here
            for (int i = 0; i < 800 && descriptors() > before; i++) {
                Thread.sleep(10);
            }
        }
        return reached;
    }

    private SocketChannel open(Phase phase) throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.connect(new InetSocketAddress(HOST, port));
        channel.socket().setSoTimeout(10_000);
        if (phase.first.length > 0) {
            channel.write(ByteBuffer.wrap(phase.first));
        }
        return channel;
    }

    private boolean reach(Phase phase, SocketChannel channel) {
        try {
            if (phase.second.length == 0) {
                return true;
            }
            // the stream of the socket, whose reads have a limit
            var in = channel.socket().getInputStream();
            if (in.readNBytes(BANNER.length).length < BANNER.length) {
                return false;
            }
            channel.write(ByteBuffer.wrap(phase.second));
            if (in.read() != '+') {
                return false;
            }
            switch (phase) {
                case WITH_DATA -> {
                    channel.configureBlocking(false);
                    channel.write(ByteBuffer.allocate(1 << 16));
                    return true;
                }
                case HALF_CLOSED_BY_THE_CLIENT -> {
                    channel.shutdownOutput();
                    // the target says that it has seen the end
                    return in.read() == '!';
                }
                case HALF_CLOSED_BY_THE_TARGET -> {
                    if (in.read() >= 0) {
                        return false;
                    }
                    channel.write(ByteBuffer.wrap(BANNER));
                    return true;
                }
                default -> {
                    return true;
                }
            }
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Says what it is at once, as SSH servers do, and does what the client's second line says: {@code echo}; {@code pour} bytes without end, and read what comes;
     * {@code keep} its direction open when the client's ends; {@code end} its own.
     */
    private static final class Target {
        private final Selector selector = Selector.open();
        private final Queue<SocketChannel> open = new ConcurrentLinkedQueue<>();
        private int cuts;

        Target(int port) throws IOException {
            ServerSocketChannel server = ServerSocketChannel.open();
            server.bind(new InetSocketAddress(HOST, port), 4096);
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT);
            Thread thread = new Thread(() -> serve(server), "target");
            thread.setDaemon(true);
            thread.start();
        }

        /** Cuts all connections, by FIN and RST in turns. */
        void cut() throws IOException {
            for (SocketChannel one = open.poll(); one != null; one = open.poll()) {
                try {
                    if (cuts++ % 2 == 0) {
                        one.setOption(StandardSocketOptions.SO_LINGER, 0);
                    }
                } catch (ClosedChannelException e) {
                    continue;
                }
                one.close();
            }
            selector.wakeup();
        }

        private void serve(ServerSocketChannel server) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 15);
            while (true) {
                try {
                    selector.select();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
                for (SelectionKey key : selector.selectedKeys()) {
                    try {
                        if (!key.isValid()) {
                            continue;
                        }
                        if (key.isAcceptable()) {
                            for (SocketChannel one = server.accept(); one != null; one = server.accept()) {
                                open.add(one);
                                one.configureBlocking(false);
                                one.setOption(StandardSocketOptions.TCP_NODELAY, true);
                                one.write(ByteBuffer.wrap(BANNER));
                                one.register(selector, SelectionKey.OP_READ, new StringBuilder());
                            }
                        } else {
                            goOn(key, (SocketChannel) key.channel(), buffer);
                        }
                    } catch (IOException | java.nio.channels.CancelledKeyException e) {
                        key.cancel();
                        try {
                            key.channel().close();
                        } catch (IOException again) {
                            // it is gone
                        }
                    }
                }
                selector.selectedKeys().clear();
            }
        }

        private static void goOn(SelectionKey key, SocketChannel channel, ByteBuffer buffer) throws IOException {
            StringBuilder said = (StringBuilder) key.attachment();
            if (key.isWritable()) {
                buffer.clear();
                channel.write(buffer);
            }
            if (!key.isReadable()) {
                return;
            }
            buffer.clear();
            if (channel.read(buffer) < 0) {
                if (said.indexOf("keep\n") >= 0) {
                    channel.write(ByteBuffer.wrap(new byte[] {'!'}));
                    key.interestOps(0);
                } else {
                    channel.close();
                }
                return;
            }
            buffer.flip();
            if (said.indexOf("\n", BANNER.length) >= 0) {
                if (said.indexOf("echo\n") >= 0) {
                    channel.write(buffer);
                }
                return;
            }
            said.append(StandardCharsets.US_ASCII.decode(buffer));
            if (said.indexOf("\n", BANNER.length) >= 0) {
                channel.write(ByteBuffer.wrap(new byte[] {'+'}));
                if (said.indexOf("pour\n") >= 0) {
                    key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                } else if (said.indexOf("end\n") >= 0) {
                    channel.shutdownOutput();
                }
            }
        }
    }
}
