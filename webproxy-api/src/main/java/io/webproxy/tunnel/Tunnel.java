package io.webproxy.tunnel;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The private side of a tunnel: which public servers are dialled, who this side is to them, and what is announced
 * there. Immutable; made by a {@link Builder}.
 */
public final class Tunnel {
    private final List<InetSocketAddress> servers;
    private final Path identity;
    private final Set<String> fingerprints;
    private final List<Announcement> announcements;

    private Tunnel(Builder b, Path identity) {
        this.servers = List.copyOf(b.servers);
        this.identity = identity;
        this.fingerprints = Set.copyOf(b.fingerprints);
        this.announcements = List.copyOf(b.announcements);
    }

    /** An empty one for a public server, {@code host:port}. */
    public static Builder builder(String server) {
        return new Builder().connect(server);
    }

    /**
     * The public servers, unresolved, in the order they were given. Each is connected to, and gets all announcements.
     */
    public List<InetSocketAddress> servers() {
        return servers;
    }

    /** Where the key is: {@code DIR/NAME} for {@code DIR/NAME.key} and {@code DIR/NAME.crt}. */
    public Path identity() {
        return identity;
    }

    /** The fingerprints of public servers' keys, one of which each server has to have. */
    public Set<String> fingerprints() {
        return fingerprints;
    }

    /** What is announced. */
    public List<Announcement> announcements() {
        return announcements;
    }

    /** Whether something that is announced ends in this JVM. */
    public boolean hasHttps() {
        return announcements.stream().anyMatch(each -> each.target().isEmpty());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Tunnel that
                && servers.equals(that.servers)
                && identity.equals(that.identity)
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

    /** Collects a tunnel. Not thread-safe. */
    public static final class Builder {
        private final Set<InetSocketAddress> servers = new LinkedHashSet<>();
        private @Nullable Path identity;
        private final Set<String> fingerprints = new LinkedHashSet<>();
        private final List<Announcement> announcements = new ArrayList<>();

        private Builder() {}

        /** Adds a public server, {@code host:port}: names that are announced to several work from each. */
        public Builder connect(String server) {
            servers.add(Announcement.hostPort("server", server));
            return this;
        }

        /**
         * Where this side's key is, as {@code agent-key} and {@link TunnelKey#create} make it: {@code DIR/NAME},
         * without an ending.
         */
        public Builder identity(Path prefix) {
            this.identity = Objects.requireNonNull(prefix, "identity");
            return this;
        }

        /**
         * Adds the fingerprint of a public server's key, as the server prints it.
         *
         * @throws IllegalArgumentException unless it is {@code sha256:} and 64 hexadecimal digits
         */
        public Builder server(String fingerprint) {
            String lower = Objects.requireNonNull(fingerprint, "server").toLowerCase(Locale.ROOT);
            if (!TunnelKey.isFingerprint(lower)) {
                throw new IllegalArgumentException(
                        "server: " + fingerprint + " (expected: sha256: and 64 hexadecimal digits)");
            }
            fingerprints.add(lower);
            return this;
        }

        /**
         * Announces a server name, whose TLS clients are relayed to a target untouched; see {@link Announcement#name}.
         */
        public Builder announce(String name, String target) {
            return announce(Announcement.name(name, target));
        }

        /** Announces a server name whose TLS ends in this JVM; see {@link Announcement#https}. */
        public Builder announceHttps(String name) {
            return announce(Announcement.https(name));
        }

        /** Announces a port of the public server; see {@link Announcement#tcp}. */
        public Builder announceTcp(int port, String target) {
            return announce(Announcement.tcp(port, target));
        }

        /** Announces something with options. */
        public Builder announce(Announcement announcement) {
            announcements.add(Objects.requireNonNull(announcement, "announcement"));
            return this;
        }

        /**
         * Tells every target so far the client's address by the PROXY protocol; see
         * {@link Announcement#withProxyProtocol}.
         */
        public Builder proxyProtocol(int version) {
            announcements.replaceAll(each -> each.target().isEmpty() ? each : each.withProxyProtocol(version));
            return this;
        }

        /**
         * The tunnel.
         *
         * @throws IllegalArgumentException with everything that is wrong
         */
        public Tunnel build() {
            List<String> problems = new ArrayList<>();
            Path prefix = identity;
            if (prefix == null) {
                problems.add("identity: none (expected: identity(DIR/NAME), as agent-key makes it)");
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
            if (prefix == null || !problems.isEmpty()) {
                throw new IllegalArgumentException(String.join("; ", problems));
            }
            return new Tunnel(this, prefix);
        }
    }
}
