package io.webproxy.route;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An origin that requests are forwarded to: scheme, host and port. Immutable.
 *
 * <p>An {@code https} upstream must show a certificate that is valid for its host (RFC 9525), by the JVM's trust store or
 * by {@linkplain #trusting one of its own}.
 */
public final class Upstream {
    /** Container names often have underscores, which a URI's host can't. */
    private static final Pattern UNDERSCORED = Pattern.compile("([A-Za-z0-9._-]*_[A-Za-z0-9._-]*)(?::([0-9]{1,5}))?");

    private final String scheme;
    private final String host;
    private final int port;
    private final @Nullable Path trust;

    private Upstream(String scheme, String host, int port, @Nullable Path trust) {
        this.scheme = scheme;
        this.host = host;
        this.port = port;
        this.trust = trust;
    }

    /**
     * Reads {@code http://host[:port]} or {@code https://host[:port]}; the port defaults to 80 or 443.
     *
     * @throws IllegalArgumentException if it is anything else: other schemes, user info, a path, a query
     */
    public static Upstream of(String uri) {
        Objects.requireNonNull(uri, "uri");
        URI parsed;
        try {
            parsed = new URI(uri);
        } catch (URISyntaxException e) {
            throw invalid(uri);
        }
        String scheme = parsed.getScheme() == null ? "" : parsed.getScheme().toLowerCase(Locale.ROOT);
        String path = parsed.getRawPath() == null ? "" : parsed.getRawPath();
        boolean tls = scheme.equals("https");
        Matcher named = UNDERSCORED.matcher(String.valueOf(parsed.getRawAuthority()));
        if (parsed.getHost() == null && (tls || scheme.equals("http")) && named.matches()) {
            return of(uri, scheme, named);
        }
        if (!(tls || scheme.equals("http"))
                || parsed.getHost() == null
                || parsed.getRawUserInfo() != null
                || parsed.getRawQuery() != null
                || parsed.getRawFragment() != null
                || !(path.isEmpty() || path.equals("/"))
                || parsed.getPort() == 0
                || parsed.getPort() > 65535) {
            throw invalid(uri);
        }
        int port = parsed.getPort() >= 0 ? parsed.getPort() : tls ? 443 : 80;
        return new Upstream(scheme, parsed.getHost().toLowerCase(Locale.ROOT), port, null);
    }

    private static Upstream of(String uri, String scheme, Matcher named) {
        String port = named.group(2);
        int number = port == null ? (scheme.equals("https") ? 443 : 80) : Integer.parseInt(port);
        if (number < 1 || number > 65535 || !uri.matches("[A-Za-z]+://[^/?#]*/?")) {
            throw invalid(uri);
        }
        return new Upstream(scheme, named.group(1).toLowerCase(Locale.ROOT), number, null);
    }

    private static IllegalArgumentException invalid(String uri) {
        int at = uri.lastIndexOf('@');
        String shown = at < 0 ? uri : "…" + uri.substring(at);
        return new IllegalArgumentException("forward: " + shown
                + " (expected: http://host:port or https://host:port, without user, path and query)");
    }

    /**
     * The same upstream, trusted by the certificates of a PEM file in place of the JVM's trust store.
     *
     * @throws IllegalArgumentException if this upstream isn't {@code https}
     */
    public Upstream trusting(Path pemCertificates) {
        Objects.requireNonNull(pemCertificates, "pemCertificates");
        if (!tls()) {
            throw new IllegalArgumentException(
                    "forward: " + this + " (expected: an https:// upstream, for it has a trust store)");
        }
        return new Upstream(scheme, host, port, pemCertificates);
    }

    /** Whether the connection is TLS. */
    public boolean tls() {
        return scheme.equals("https");
    }

    /** The host: a name, an IPv4 address, or an IPv6 address in brackets; lower case. */
    public String host() {
        return host;
    }

    /** The port, 1 to 65535. */
    public int port() {
        return port;
    }

    /** The PEM file of trusted certificates; empty for the JVM's trust store. */
    public Optional<Path> trust() {
        return Optional.ofNullable(trust);
    }

    /** {@code host:port}, as it stands in records and logs. */
    public String authority() {
        return host + ":" + port;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Upstream that
                && scheme.equals(that.scheme)
                && host.equals(that.host)
                && port == that.port
                && Objects.equals(trust, that.trust);
    }

    @Override
    public int hashCode() {
        return Objects.hash(scheme, host, port, trust);
    }

    @Override
    public String toString() {
        return scheme + "://" + authority();
    }
}
