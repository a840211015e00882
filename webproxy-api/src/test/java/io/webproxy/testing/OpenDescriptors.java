package io.webproxy.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The sockets, pipes and selectors that this process holds at one moment: how many descriptors have each link target.
 *
 * <p>A socket or pipe has a target of its own, {@code socket:[4711]}; those of one kind of anonymous inode, such as
 * {@code anon_inode:[eventpoll]}, share one. Off Linux there is nothing to see and nothing leaks.
 */
record OpenDescriptors(Map<String, Integer> countByTarget) {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    private static final Map<String, String> TCP_STATES =
            Map.of("01", "ESTABLISHED", "06", "TIME_WAIT", "08", "CLOSE_WAIT", "0A", "LISTEN");

    static {
        openWhatTheJdkKeeps();
    }

    static OpenDescriptors now() {
        Map<String, Integer> counts = new TreeMap<>();
        if (Files.isDirectory(DESCRIPTORS)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
                for (Path descriptor : all) {
                    String target = target(descriptor);
                    if (target.startsWith("socket:")
                            || target.startsWith("pipe:")
                            || target.startsWith("anon_inode:")) {
                        counts.merge(target, 1, Integer::sum);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return new OpenDescriptors(counts);
    }

    /** Whether a descriptor is open now that was not then. */
    boolean hasNewSince() {
        return !addedSince().isEmpty();
    }

    /** The descriptors that are open now and were not then, each target in one line. */
    List<String> newSince() {
        Map<String, Integer> more = addedSince();
        Map<String, String> tcp = more.isEmpty() ? Map.of() : tcpSockets();
        return more.entrySet().stream()
                .map(e -> "descriptor " + e.getKey() + (e.getValue() > 1 ? " x " + e.getValue() : "")
                        + tcp.getOrDefault(e.getKey(), ""))
                .toList();
    }

    private Map<String, Integer> addedSince() {
        Map<String, Integer> more = new TreeMap<>();
        now().countByTarget().forEach((target, count) -> {
            int added = count - countByTarget.getOrDefault(target, 0);
            if (added > 0) {
                more.put(target, added);
            }
        });
        return more;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed since it was listed
        }
    }

    /** Ports and state of each TCP socket by link target, as proc(5) describes {@code /proc/net/tcp}. */
    private static Map<String, String> tcpSockets() {
        Map<String, String> sockets = new HashMap<>();
        for (String table : List.of("tcp", "tcp6")) {
            try {
                for (String line : Files.readAllLines(Path.of("/proc/self/net", table))) {
                    String[] field = line.trim().split("\\s+");
                    if (field[0].endsWith(":")) {
                        sockets.put(
                                "socket:[" + field[9] + "]",
                                " (" + table + ", local port " + port(field[1]) + ", remote port " + port(field[2])
                                        + ", " + TCP_STATES.getOrDefault(field[3], "state " + field[3]) + ")");
                    }
                }
            } catch (IOException e) {
                // no such table here: the target alone must do
            }
        }
        return sockets;
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.indexOf(':') + 1), 16);
    }

    /** The JDK's first socket, pipe and selector open descriptors that it keeps for good. */
    private static void openWhatTheJdkKeeps() {
        try (ServerSocket server = new ServerSocket(0);
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket accepted = server.accept();
                ServerSocketChannel serverChannel = ServerSocketChannel.open().bind(null);
                SocketChannel channel = SocketChannel.open(serverChannel.getLocalAddress());
                DatagramChannel datagrams = DatagramChannel.open();
                Selector selector = Selector.open()) {
            selector.selectNow();
            Pipe pipe = Pipe.open();
            pipe.source().close();
            pipe.sink().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
