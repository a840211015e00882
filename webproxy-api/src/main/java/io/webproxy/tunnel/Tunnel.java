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
 * The private side of a tunnel: the public servers to dial, this side's identity, and the announcements. Immutable;
 * made by a {@link Builder}.
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

    /** A builder for a tunnel to a public server, {@code host:port}. */
    public static Builder builder(String server) {
        return new Builder().connect(server);
    }

    /**
     * The public servers, unresolved, in the order they were given. Each is connected to, and gets all announcements.
     */
    public List<InetSocketAddress> servers() {
        return servers;
    }

    /** The place of the key: {@code DIR/NAME} for {@code DIR/NAME.key} and {@code DIR/NAME.crt}. */
    public Path identity() {
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

        /** Adds a public server, {@code host:port}: announcements are made to all of them. */
        public Builder connect(String server) {
            servers.add(Announcement.hostPort("server", server));
            return this;
        }

        /**
         * The place of this side's key, as made by {@code agent-key} or {@link TunnelKey#create}: {@code DIR/NAME},
         * without extension.
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

        /** Announces a server name, whose TLS clients are relayed to a target; see {@link Announcement#name}. */
        public Builder announce(String name, String target) {
            return announce(Announcement.name(name, target));
        }

        /** Announces a server name whose TLS is terminated in this JVM; see {@link Announcement#https}. */
        public Builder announceHttps(String name) {
            return announce(Announcement.https(name));
        }

        /** Announces a port of the public server; see {@link Announcement#tcp}. */
        public Builder announceTcp(int port, String target) {
            return announce(Announcement.tcp(port, target));
        }

        /** Announces a name or port with options. */
        public Builder announce(Announcement announcement) {
            announcements.add(Objects.requireNonNull(announcement, "announcement"));
            return this;
        }

        /**
         * Sends PROXY headers with the client's address to all targets so far; see
         * {@link Announcement#withProxyProtocol}.
         */
        public Builder proxyProtocol(int version) {
            announcements.replaceAll(each -> each.target().isEmpty() ? each : each.withProxyProtocol(version));
            return this;
        }

        /**
         * The tunnel.
         *
         * @throws IllegalArgumentException with all problems
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
