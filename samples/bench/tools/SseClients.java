import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/**
 * Many event streams at once, one event per second each, read by one thread: through a proxy over TLS, and straight from
 * {@code Upstream}. Each event says when the upstream wrote it, by the clock that all processes of the machine have in common.
 *
 * <p>Prints {@code open} when all streams are, and at the end what was lost and how late events were. The exit status is 0
 * if all requirements are met.
 *
 * <p>Arguments: the proxy's URI, a file with its certificate, how many streams through it, the upstream's URI, how many
 * straight to it, and how many events in each.
 */
final class SseClients {
    private static final double MAX_TAIL_MILLIS = 1000; // of the 99.9th percentiles' difference
    private static final double MAX_MEDIAN_MILLIS = 2; // of the medians' difference

    private final Selector selector = Selector.open();
    private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);
    private final List<Stream> open = new ArrayList<>();
    private final int events;
    private final long start; // of the events: nobody reads while the streams are opened, one after the other

    private SseClients(int events, int streams) throws IOException {
        this.events = events;
        this.start = System.nanoTime() + 5_000_000_000L + streams * 20_000_000L;
    }

    public static void main(String[] args) throws Exception {
        int events = Integer.parseInt(args[5]);
        SSLContext tls = trusting(Path.of(args[1]));
        Group proxied = new Group("proxied", Integer.parseInt(args[2]), events);
        Group direct = new Group("direct", Integer.parseInt(args[4]), events);
        SseClients clients = new SseClients(events, proxied.count + direct.count);
        proxied.open(clients, URI.create(args[0]), tls);
        direct.open(clients, URI.create(args[3]), null);
        if (System.nanoTime() - clients.start > 0) {
            throw new IOException("the streams took longer to open than their first events wait");
        }
        System.out.println("open");
        clients.read();
        System.exit(report(proxied, direct) ? 0 : 1);
    }

    private static boolean report(Group proxied, Group direct) {
        proxied.print();
        direct.print();
        double median = proxied.at(0.5) - direct.at(0.5);
        double tail = proxied.at(0.999) - direct.at(0.999);
        boolean whole = proxied.lost() == 0 && direct.lost() == 0 && proxied.broken == 0 && direct.broken == 0;
        System.out.println("every event once, in order, and each stream ended whole: " + verdict(whole));
        System.out.printf(
                "added at the median %.3f ms (below %.0f): %s%n",
                median, MAX_MEDIAN_MILLIS, verdict(median < MAX_MEDIAN_MILLIS));
        System.out.printf(
                "added at the 99.9th percentile %.3f ms (below %.0f): %s%n",
                tail, MAX_TAIL_MILLIS, verdict(tail < MAX_TAIL_MILLIS));
        return whole && median < MAX_MEDIAN_MILLIS && tail < MAX_TAIL_MILLIS;
    }

    private static String verdict(boolean ok) {
        return ok ? "ok" : "FAILED";
    }

    private void read() throws IOException {
        long end = start + (events + 60) * 1_000_000_000L; // what has not ended a minute after its time is broken
        while (!open.isEmpty() && System.nanoTime() - end < 0) {
            selector.select(key -> ((Stream) key.attachment()).read(), 1000);
        }
        for (Stream stream : List.copyOf(open)) {
            stream.end("no end in time");
        }
    }

    /** The streams of one kind. */
    private static final class Group {
        final String name;
        final int count;
        final int events;
        final long[] lateness;
        int arrived;
        int broken;

        Group(String name, int count, int events) {
            this.name = name;
            this.count = count;
            this.events = events;
            this.lateness = new long[count * events];
        }

        /** Opens all, so that their events are spread over the second. */
        void open(SseClients clients, URI uri, SSLContext tls) throws IOException {
            for (int i = 0; i < count; i++) {
                clients.open.add(new Stream(clients, this, uri, tls, i * 1_000_000_000L / count));
            }
        }

        int lost() {
            return count * events - arrived;
        }

        double at(double quantile) {
            return arrived == 0
                    ? Double.NaN
                    : lateness[Math.min(arrived - 1, (int) Math.ceil(quantile * arrived) - 1)] / 1e6;
        }

        void print() {
            Arrays.sort(lateness, 0, arrived);
            System.out.printf(
                    "%-8s %d streams: %d events, %d lost, %d streams broken;"
                            + " late by p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms, max %.3f ms%n",
                    name, count, arrived, lost(), broken, at(0.5), at(0.99), at(0.999), at(1));
        }
    }

    /** One stream: HTTP/1.1 with a body in chunks. */
    private static final class Stream {
        private final SseClients clients;
        private final Group group;
        private final SocketChannel channel;
        private final SSLEngine tls;
        private final SelectionKey key;
        private ByteBuffer sealed = ByteBuffer.allocate(20 * 1024);
        private ByteBuffer plain = ByteBuffer.allocate(20 * 1024);
        private final StringBuilder frameLine = new StringBuilder();
        private final StringBuilder eventLine = new StringBuilder();
        private State state = State.HEAD;
        private int chunkLeft;
        private int next = 1;

        private enum State {
            HEAD,
            CHUNK_SIZE,
            CHUNK,
            CHUNK_END,
            END
        }

        Stream(SseClients clients, Group group, URI uri, SSLContext context, long phaseNanos) throws IOException {
            this.clients = clients;
            this.group = group;
            this.channel = SocketChannel.open(new InetSocketAddress(uri.getHost(), uri.getPort()));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            this.tls = context == null ? null : context.createSSLEngine(uri.getHost(), uri.getPort());
            if (tls != null) {
                SSLParameters parameters = tls.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                tls.setSSLParameters(parameters);
                tls.setUseClientMode(true);
                sealed.limit(0);
                handshake();
            }
            long after = Math.max(0, clients.start + phaseNanos - System.nanoTime()) / 1_000_000;
            write(ByteBuffer.wrap(("GET /events?type=text/event-stream&every=1000&after=" + after + "&pieces="
                            + group.events + " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII)));
            channel.configureBlocking(false);
            this.key = channel.register(clients.selector, SelectionKey.OP_READ, this);
        }

        /** As long as the channel blocks. */
        private void handshake() throws IOException {
            tls.beginHandshake();
            while (true) {
                switch (tls.getHandshakeStatus()) {
                    case NEED_TASK -> tls.getDelegatedTask().run();
                    case NEED_WRAP -> write(ByteBuffer.allocate(0));
                    case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                        SSLEngineResult result = tls.unwrap(sealed, plain);
                        if (result.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
                            sealed.compact();
                            if (channel.read(sealed) < 0) {
                                throw new SSLException("the proxy closed within the handshake");
                            }
                            sealed.flip();
                        }
                    }
                    case FINISHED, NOT_HANDSHAKING -> {
                        return;
                    }
                }
            }
        }

        private void write(ByteBuffer bytes) throws IOException {
            ByteBuffer out = bytes;
            if (tls != null) {
                out = ByteBuffer.allocate(tls.getSession().getPacketBufferSize());
                tls.wrap(bytes, out);
                out.flip();
            }
            while (out.hasRemaining()) {
                channel.write(out);
            }
        }

        void read() {
            try {
                clients.received.clear();
                int count = channel.read(clients.received);
                clients.received.flip();
                if (tls == null) {
                    take(clients.received);
                } else {
                    unseal();
                }
                if (count < 0 && state != State.END) {
                    end("closed");
                }
            } catch (IOException e) {
                end(e.toString());
            }
        }

        private void unseal() throws IOException {
            sealed.compact();
            if (sealed.remaining() < clients.received.remaining()) {
                sealed = ByteBuffer.allocate(sealed.position() + clients.received.remaining())
                        .put(sealed.flip());
            }
            sealed.put(clients.received).flip();
            while (state != State.END) {
                SSLEngineResult result = tls.unwrap(sealed, plain);
                if (tls.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_TASK) {
                    tls.getDelegatedTask().run();
                } else if (tls.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP) {
                    write(ByteBuffer.allocate(0));
                }
                take(plain.flip());
                plain.clear();
                if (result.getStatus() != SSLEngineResult.Status.OK || result.bytesConsumed() == 0) {
                    return;
                }
            }
        }

        private void take(ByteBuffer bytes) {
            long now = System.nanoTime();
            while (bytes.hasRemaining() && state != State.END) {
                byte b = bytes.get();
                StringBuilder line = state == State.CHUNK ? eventLine : frameLine;
                if (state == State.CHUNK && --chunkLeft == 0) {
                    state = State.CHUNK_END;
                }
                if (b == '\n') {
                    if (line == eventLine) {
                        event(line.toString(), now);
                    } else {
                        frame(line.toString());
                    }
                    line.setLength(0);
                } else if (b != '\r') {
                    line.append((char) b);
                }
            }
        }

        /** A line of the head, or of what is around the chunks (RFC 9112 section 7.1). */
        private void frame(String line) {
            switch (state) {
                case HEAD -> {
                    if (line.isEmpty()) {
                        state = State.CHUNK_SIZE;
                    } else if (line.startsWith("HTTP/") && !line.contains(" 200 ")) {
                        end(line);
                    }
                }
                case CHUNK_SIZE -> {
                    chunkLeft = Integer.parseInt(line, 16);
                    state = State.CHUNK;
                    if (chunkLeft == 0) {
                        end("");
                    }
                }
                default -> state = State.CHUNK_SIZE;
            }
        }

        private void event(String line, long now) {
            if (line.isEmpty()) {
                return;
            }
            String[] words = line.split(" ");
            if (!words[0].equals("data:") || Integer.parseInt(words[1]) != next) {
                end("'" + line + "' in place of event " + next);
                return;
            }
            next++;
            group.lateness[group.arrived++] = now - Long.parseLong(words[2]);
        }

        /** Why, or nothing if the response is complete. */
        void end(String problem) {
            if (!problem.isEmpty() || next <= group.events) {
                group.broken++;
                if (group.broken <= 5) {
                    System.out.println(group.name + " stream broken before event " + next + ": " + problem);
                }
            }
            state = State.END;
            clients.open.remove(this);
            try {
                channel.close();
            } catch (IOException e) {
                System.out.println("close: " + e);
            }
        }
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
