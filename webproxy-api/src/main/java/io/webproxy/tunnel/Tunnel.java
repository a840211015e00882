package io.webproxy.tunnel;

import io.webproxy.spi.TunnelKey;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The private side of a tunnel: the public servers to dial, this side's identity, and the announcements. Immutable;
 * start with {@link #to}.
 */
public final class Tunnel {
    private static final String NO_IDENTITY = "identity: none (expected: identity(DIR/NAME), as agent-key makes it)";

    private final List<InetSocketAddress> servers;
    private final @Nullable Path identity;
    private final Set<String> fingerprints;
    private final List<Announcement> announcements;

    private Tunnel(
            Collection<InetSocketAddress> servers,
            @Nullable Path identity,
            Collection<String> fingerprints,
            List<Announcement> announcements) {
        this.servers = List.copyOf(servers);
        this.identity = identity;
        this.fingerprints = Set.copyOf(fingerprints);
        this.announcements = List.copyOf(announcements);
    }

    /**
     * A tunnel to a public server; it needs an {@linkplain #identity(Path) identity}, the {@linkplain #server
     * fingerprint} of the public server's key, and an announcement.
     *
     * @param server {@code host:port}
     * @throws IllegalArgumentException if it is malformed
     */
    public static Tunnel to(String server) {
        return new Tunnel(List.of(Announcement.hostPort("server", server)), null, Set.of(), List.of());
    }

    /**
     * Makes a key for one side of a tunnel, as the command {@code agent-key} does: {@code NAME.key}, which only its
     * owner may read, and a self-signed certificate in {@code NAME.crt}. A missing directory is created. A process that
     * is killed meanwhile leaves nothing, or a key whose certificate is made at the next start. Not for an IO thread.
     *
     * @param name 1 to 64 letters, digits, dots, hyphens or underscores
     * @return the fingerprint of the key, for the agents file or {@link #server}
     * @throws IllegalArgumentException with one sentence, if the name is invalid, the key exists already, or the files
     *     can't be written
     */
    public static String createKey(Path directory, String name) {
        return TunnelKey.create(directory, name).fingerprint();
    }

    /**
     * The fingerprint of a key that exists. Not for an IO thread.
     *
     * @param identity {@code DIR/NAME}, without {@code .key} and {@code .crt}
     * @throws IllegalArgumentException with one sentence, if the key is missing, a file is damaged, the files don't
     *     match, or others than the owner may read the key
     */
    public static String fingerprint(Path identity) {
        return TunnelKey.load(identity).fingerprint();
    }

    /** The same with one more public server, {@code host:port}: announcements are made to all of them. */
    public Tunnel connect(String server) {
        Set<InetSocketAddress> all = new LinkedHashSet<>(servers);
        all.add(Announcement.hostPort("server", server));
        return new Tunnel(all, identity, fingerprints, announcements);
    }

    /**
     * The same with this place of this side's key, as made by {@code agent-key} or {@link #createKey}:
     * {@code DIR/NAME}, without extension.
     */
    public Tunnel identity(Path prefix) {
        return new Tunnel(servers, Objects.requireNonNull(prefix, "identity"), fingerprints, announcements);
    }

    /**
     * The same with one more fingerprint of a public server's key, as the server prints it.
     *
     * @throws IllegalArgumentException unless it is {@code sha256:} and 64 hexadecimal digits
     */
    public Tunnel server(String fingerprint) {
        String lower = Objects.requireNonNull(fingerprint, "server").toLowerCase(Locale.ROOT);
        if (!TunnelKey.isFingerprint(lower)) {
            throw new IllegalArgumentException(
                    "server: " + fingerprint + " (expected: sha256: and 64 hexadecimal digits)");
        }
        Set<String> all = new LinkedHashSet<>(fingerprints);
        all.add(lower);
        return new Tunnel(servers, identity, all, announcements);
    }

    /** Announces a server name, whose TLS clients are relayed to a target; see {@link Announcement#name}. */
    public Tunnel announce(String name, String target) {
        return announce(Announcement.name(name, target));
    }

    /** Announces a server name whose TLS is terminated in this JVM; see {@link Announcement#https}. */
    public Tunnel announceHttps(String name) {
        return announce(Announcement.https(name));
    }

    /** Announces a port of the public server; see {@link Announcement#tcp}. */
    public Tunnel announceTcp(int port, String target) {
        return announce(Announcement.tcp(port, target));
    }

    /** Announces a name or port with options. */
    public Tunnel announce(Announcement announcement) {
        List<Announcement> all = new ArrayList<>(announcements);
        all.add(Objects.requireNonNull(announcement, "announcement"));
        return new Tunnel(servers, identity, fingerprints, all);
    }

    /**
     * The same with PROXY headers with the client's address for all targets so far; see
     * {@link Announcement#withProxyProtocol}.
     */
    public Tunnel proxyProtocol(int version) {
        List<Announcement> all = new ArrayList<>(announcements);
        all.replaceAll(each -> each.target().isEmpty() ? each : each.withProxyProtocol(version));
        return new Tunnel(servers, identity, fingerprints, all);
    }

    /**
     * The public servers, unresolved, in the order they were given. Each is connected to, and gets all announcements.
     */
    public List<InetSocketAddress> servers() {
        return servers;
    }

    /**
     * The place of the key: {@code DIR/NAME} for {@code DIR/NAME.key} and {@code DIR/NAME.crt}.
     *
     * @throws IllegalArgumentException if none was given
     */
    public Path identity() {
        if (identity == null) {
            throw new IllegalArgumentException(NO_IDENTITY);
        }
        return identity;
    }

    /** The fingerprints of public servers' keys; each server must have one of them. */
    public Set<String> fingerprints() {
        return fingerprints;
    }

    /** The announcements. */
    public List<Announcement> announcements() {
        return announcements;
    }

    /** Whether TLS of an announced name is terminated in this JVM. */
    public boolean hasHttps() {
        return announcements.stream().anyMatch(each -> each.target().isEmpty());
    }

    /** What is missing or doesn't fit together, a sentence each. */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        if (identity == null) {
            problems.add(NO_IDENTITY);
        }
        if (fingerprints.isEmpty()) {
            problems.add("server: none (expected: server(\"sha256:…\"), as the public server prints it)");
        }
        if (announcements.isEmpty()) {
            problems.add("announce: nothing (expected: at least one name or port)");
        }
        Set<String> seen = new LinkedHashSet<>();
        for (Announcement each : announcements) {
            if (!seen.add(each.what())) {
                problems.add("announce: " + each.what() + " (expected: each name or port only once)");
            }
        }
        return problems;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Tunnel that
                && servers.equals(that.servers)
                && Objects.equals(identity, that.identity)
                && fingerprints.equals(that.fingerprints)
                && announcements.equals(that.announcements);
    }

    @Override
    public int hashCode() {
        return Objects.hash(servers, identity, fingerprints, announcements);
    }

    @Override
    public String toString() {
        return "Tunnel" + servers + announcements;
    }
}
