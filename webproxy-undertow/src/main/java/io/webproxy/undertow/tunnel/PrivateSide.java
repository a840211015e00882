package io.webproxy.undertow.tunnel;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.ProxyStartException;
import io.webproxy.spi.HostPattern;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.ProxyHeaderVersion;
import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelKey;
import io.webproxy.tunnel.Announcement;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.sniff.TunnelMark;
import io.webproxy.undertow.tls.PinnedTls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * The private side of one tunnel: dials its public servers, announces names and ports, and connects the clients that
 * they hand over. Thread-safe.
 */
public final class PrivateSide {
    private final Environment environment;
    private final Tunnel tunnel;
    private final TunnelKey key;
    private final PinnedTls tls;
    private final UUID instance = UUID.randomUUID();
    private final HostNames names;
    private final Map<Message.Item, Target> announced = new HashMap<>();
    private final List<Uplink> uplinks = new ArrayList<>();
    private final AtomicInteger nextThread = new AtomicInteger();
    private final OncePerMinute warning = new OncePerMinute();

    /**
     * What the private side needs from the server.
     *
     * @param threads the IO threads
     * @param sweepers the sweeper of each
     * @param executor for tasks that may block
     * @param buffers of relays
     * @param records buffers that hold a whole TLS record each
     * @param headers writes headers of the PROXY protocol
     * @param https takes connections whose TLS is terminated here
     * @param live counts open relays
     * @param recorder is told of ended relays
     */
    public record Environment(
            List<XnioIoThread> threads,
            Function<XnioIoThread, Sweeper> sweepers,
            Executor executor,
            ByteBufferPool buffers,
            ByteBufferPool records,
            DescriptorRoom room,
            Headers headers,
            Https https,
            LiveRelays live,
            Recorder recorder,
            TlsProvider tlsProvider) {}

    /**
     * An announcement and its target.
     *
     * @param address where its connections go; null if their TLS is terminated here
     */
    record Target(Announcement announcement, @Nullable InetSocketAddress address) {}

    /** Writes headers of the PROXY protocol. Pure. */
    @FunctionalInterface
    public interface Headers {
        /** The header for a client that connected to a local address. */
        ByteBuffer proxied(ProxyHeaderVersion version, InetSocketAddress client, InetSocketAddress local);
    }

    /** Takes connections whose TLS is terminated in this JVM. */
    @FunctionalInterface
    public interface Https {
        /** Takes a client's connection, which this side has dialled; on its IO thread. */
        void take(StreamConnection connection, InetSocketAddress client);
    }

    /**
     * Reads the identity; nothing is dialled yet. Not for an IO thread.
     *
     * @throws ProxyStartException with one sentence, if it can't be used
     */
    public PrivateSide(Tunnel tunnel, Environment environment) {
        this.tunnel = tunnel;
        this.environment = environment;
        try {
            this.key = TunnelKey.load(tunnel.identity());
        } catch (IllegalArgumentException e) {
            throw new ProxyStartException(e.getMessage() + ".", e);
        }
        this.names = new HostNames(environment.executor());
        this.tls = PinnedTls.client(
                key.material(),
                leaf -> {
                    String shown = TunnelKey.fingerprintOf(leaf);
                    if (!tunnel.fingerprints().contains(shown)) {
                        throw new CertificateException("the server's key is " + shown
                                + ", which isn't pinned (expected: the identity that the public proxy prints)");
                    }
                },
                TunnelMark.PROTOCOL,
                environment.records(),
                environment.tlsProvider());
        for (Announcement each : tunnel.announcements()) {
            announced.put(
                    item(each),
                    new Target(each, each.target().map(PrivateSide::known).orElse(null)));
        }
        for (InetSocketAddress server : tunnel.servers()) {
            uplinks.add(new Uplink(server, this, nextThread()));
        }
    }

    static Message.Item item(Announcement announcement) {
        return announcement.port() == 0
                ? Message.Item.name(announcement.what())
                : Message.Item.port(announcement.port());
    }

    /** Dials the public servers, and again whenever a connection is lost. */
    public void start() {
        uplinks.forEach(Uplink::start);
    }

    /** The tunnel that this runs. */
    public Tunnel tunnel() {
        return tunnel;
    }

    /**
     * Says goodbye, so that no more clients come; relays continue. {@code back}: another one of the same agent takes
     * its place, so that clients wait for it.
     */
    public void leave(boolean back) {
        new CloseSteps().each("uplinks", uplinks, uplink -> uplink.close(back)).report();
    }

    XnioIoThread nextThread() {
        List<XnioIoThread> threads = environment.threads();
        return threads.get(Math.floorMod(nextThread.getAndIncrement(), threads.size()));
    }

    /** The target of an announcement; null if it isn't announced. */
    @Nullable Target target(Message.Item item) {
        return announced.get(item);
    }

    /** Resolves an address whose host is an IP address. */
    private static InetSocketAddress known(InetSocketAddress address) {
        InetAddress literal = IpLiteral.parse(address.getHostString());
        return literal == null ? address : new InetSocketAddress(literal, address.getPort());
    }

    Sweeper sweeper(XnioIoThread thread) {
        return environment.sweepers().apply(thread);
    }

    Environment environment() {
        return environment;
    }

    PinnedTls tls() {
        return tls;
    }

    HostNames names() {
        return names;
    }

    String fingerprint() {
        return key.fingerprint();
    }

    UUID instance() {
        return instance;
    }

    /** Whether a failure of a target may be logged now. */
    boolean isWarningDue() {
        return warning.isDue();
    }

    LiveRelays live() {
        return environment.live();
    }

    /** Whether it announces a name whose TLS is terminated here. */
    public boolean hasHttps(String name) {
        return announced.values().stream()
                .filter(target -> target.address() == null)
                .anyMatch(target -> covers(target.announcement().what(), name));
    }

    /** Whether a connected public server has accepted a name, or a wildcard for it. */
    public boolean isAccepted(String name) {
        return status().stream().anyMatch(server -> server.accepted().stream().anyMatch(what -> covers(what, name)));
    }

    private static boolean covers(String announced, String name) {
        return !announced.startsWith("tcp:") && HostPattern.of(announced).matches(name);
    }

    /** The status of each public server. */
    public List<TunnelStatus.Server> status() {
        return uplinks.stream().map(Uplink::status).toList();
    }
}
