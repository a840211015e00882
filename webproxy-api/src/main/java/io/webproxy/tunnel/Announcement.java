package io.webproxy.tunnel;

import io.webproxy.spi.HostPattern;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.ProxyHeaderVersion;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A name or port by which a service that only dials out is reached at the public server, and its target. Immutable;
 * start with {@link #name}, {@link #https} or {@link #tcp}.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class Announcement {
    private static final Duration LONGEST = Duration.ofDays(7);
    private static final Pattern HOST_PORT = Pattern.compile("(\\[[^\\[\\]]+]|[^:\\[\\]\\s/@]+):([0-9]{1,5})");

    private final String what;
    private final int port;
    private final @Nullable InetSocketAddress target;
    private final @Nullable ProxyHeaderVersion proxyProtocol;
    private final Duration expiry;

    private Announcement(
            String what,
            int port,
            @Nullable InetSocketAddress target,
            @Nullable ProxyHeaderVersion proxyProtocol,
            Duration expiry) {
        this.what = what;
        this.port = port;
        this.target = target;
        this.proxyProtocol = proxyProtocol;
        this.expiry = expiry;
    }

    /**
     * Relays TLS clients that ask for a server name to a target, which terminates TLS.
     *
     * @param name such as {@code db.example.com}, or {@code *.example.com} for all names one level below
     * @param target {@code host:port}; an IPv6 address in brackets
     * @throws IllegalArgumentException if one is malformed
     */
    public static Announcement name(String name, String target) {
        return new Announcement(pattern(name), 0, hostPort("target", target), null, Duration.ZERO);
    }

    /**
     * Terminates TLS of clients that ask for a server name in this JVM, with the certificates of the server that has
     * this announcement; HTTP inside goes to its routes.
     *
     * @param name as for {@link #name}
     */
    public static Announcement https(String name) {
        return new Announcement(pattern(name), 0, null, null, Duration.ZERO);
    }

    /**
     * Relays connections to a port of the public server to a target, with any protocol.
     *
     * @param port of the public server, 1 to 65535; its agents file has to allow it
     */
    public static Announcement tcp(int port, String target) {
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port: " + port + " (expected: 1-65535)");
        }
        return new Announcement("tcp:" + port, port, hostPort("target", target), null, Duration.ZERO);
    }

    private static String pattern(String name) {
        HostPattern pattern;
        try {
            pattern = HostPattern.of(Objects.requireNonNull(name, "name"));
        } catch (IllegalArgumentException e) {
            throw wrong(name);
        }
        String text = pattern.toString();
        if (name.indexOf(':') >= 0
                || IpLiteral.parse(text) != null
                || (text.startsWith("*.") && text.indexOf('.', 2) < 0)) {
            throw wrong(name);
        }
        return text;
    }

    private static IllegalArgumentException wrong(String name) {
        return new IllegalArgumentException(
                "name: " + name + " (expected: a server name such as db.example.com, or *.example.com)");
    }

    /** Parses an unresolved address. */
    static InetSocketAddress hostPort(String what, String text) {
        Matcher parts = HOST_PORT.matcher(Objects.requireNonNull(text, what));
        if (parts.matches()) {
            String host = parts.group(1);
            int port = Integer.parseInt(parts.group(2));
            boolean bracketed = host.startsWith("[");
            InetAddress literal = IpLiteral.parse(host);
            if (port >= 1 && port <= 65535 && (!bracketed || literal != null)) {
                return InetSocketAddress.createUnresolved(
                        bracketed ? host.substring(1, host.length() - 1) : host, port);
            }
        }
        throw new IllegalArgumentException(
                what + ": " + text + " (expected: host:port, such as 127.0.0.1:8080 or [2001:db8::1]:8080)");
    }

    /**
     * Sends a PROXY header with the client's address to the target first; default: none.
     *
     * @param version of the header: 1 for a line of text, 2 for the binary one
     * @throws IllegalArgumentException if it is neither, or if TLS is terminated in this JVM, which knows the address
     *     anyway
     */
    public Announcement withProxyProtocol(int version) {
        ProxyHeaderVersion header = ProxyHeaderVersion.of(version);
        if (target == null) {
            throw new IllegalArgumentException(
                    "proxyProtocol: " + header + " (expected: an announcement with a target)");
        }
        return new Announcement(what, port, target, header, expiry);
    }

    /**
     * How long an announcement lasts after each connect to the public server, 1 s to 7 days; default: as long as the
     * connection.
     */
    public Announcement withExpiry(Duration time) {
        Objects.requireNonNull(time, "expiry");
        if (time.compareTo(Duration.ofSeconds(1)) < 0 || time.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("expiry: " + time + " (expected: 1 s to 7 days)");
        }
        return new Announcement(what, port, target, proxyProtocol, time);
    }

    /** The server name in its normal form; {@code tcp:} and the number for a port. */
    public String what() {
        return what;
    }

    /** The port of the public server; 0 for a server name. */
    public int port() {
        return port;
    }

    /** The target, unresolved; empty if TLS is terminated in this JVM. */
    public Optional<InetSocketAddress> target() {
        return Optional.ofNullable(target);
    }

    /** The version of the PROXY header that the target gets; empty for none. */
    public Optional<ProxyHeaderVersion> proxyProtocol() {
        return Optional.ofNullable(proxyProtocol);
    }

    /** How long it lasts; zero for as long as the connection to the public server. */
    public Duration expiry() {
        return expiry;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Announcement that
                && what.equals(that.what)
                && Objects.equals(target, that.target)
                && proxyProtocol == that.proxyProtocol
                && expiry.equals(that.expiry);
    }

    @Override
    public int hashCode() {
        return Objects.hash(what, target, proxyProtocol, expiry);
    }

    @Override
    public String toString() {
        return target == null ? what : what + "->" + target.getHostString() + ":" + target.getPort();
    }
}
