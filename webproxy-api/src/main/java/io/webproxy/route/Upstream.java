package io.webproxy.route;

import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;
import io.webproxy.spi.ProxyHeaderVersion;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.TrustStore;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An origin that requests are forwarded to: scheme, host and port. Immutable.
 *
 * <p>An {@code https} upstream must present a certificate that is valid for its host (RFC 9525), by the JVM's trust
 * store or by {@linkplain #withTrust one of its own}. It may ask for the server's {@linkplain #withIdentity
 * certificate}. Upstreams that differ in these, or in what their responses may be, never share a connection. The files
 * are read when the server starts and at every update; after a change, connections made before are no longer used.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class Upstream {
    /** Container names often have underscores, which a URI's host can't. */
    private static final Pattern UNDERSCORED = Pattern.compile("([A-Za-z0-9._-]*_[A-Za-z0-9._-]*)(?::([0-9]{1,5}))?");

    /** The URI scheme of {@code withHttp2()}. */
    private static final String HTTPS_HTTP2 = "https+h2";

    private static final Set<String> SCHEMES = Set.of("http", "h2c", "https", HTTPS_HTTP2);

    private final String scheme;
    private final boolean http2;
    private final String host;
    private final int port;
    private final String authority;
    private final String uri;
    private final @Nullable TrustStore trust;
    private final @Nullable Certificates identity;
    private final @Nullable ProxyHeaderVersion proxyProtocol;
    private final boolean lenient;
    private final long place;

    private Upstream(String scheme, String host, int port) {
        this(
                scheme.equals(HTTPS_HTTP2) ? "https" : scheme,
                scheme.equals(HTTPS_HTTP2) || scheme.equals("h2c"),
                host,
                port,
                null,
                null,
                null,
                false);
    }

    private Upstream(
            String scheme,
            boolean http2,
            String host,
            int port,
            @Nullable TrustStore trust,
            @Nullable Certificates identity,
            @Nullable ProxyHeaderVersion proxyProtocol,
            boolean lenient) {
        this.scheme = scheme;
        this.http2 = http2;
        this.host = host;
        this.port = port;
        this.authority = host + ":" + port;
        this.trust = trust;
        this.identity = identity;
        this.proxyProtocol = proxyProtocol;
        this.lenient = lenient;
        this.uri = (http2 && tls() ? HTTPS_HTTP2 : scheme) + "://" + authority;
        byte[] bytes = uri.getBytes(StandardCharsets.US_ASCII);
        this.place = Balancings.hash(bytes, bytes.length);
    }

    /**
     * Reads {@code http://host[:port]} or {@code https://host[:port]}; the port defaults to 80 or 443.
     * {@code h2c://host[:port]} is an upstream that speaks cleartext HTTP/2 by prior knowledge (RFC 9113 section 3.3);
     * its port defaults to 80. {@code https+h2://host[:port]} is {@code https} with {@link #withHttp2()}.
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
        boolean known = SCHEMES.contains(scheme);
        Matcher named = UNDERSCORED.matcher(String.valueOf(parsed.getRawAuthority()));
        if (parsed.getHost() == null && known && named.matches()) {
            return of(uri, scheme, named);
        }
        if (!known
                || parsed.getHost() == null
                || parsed.getRawUserInfo() != null
                || parsed.getRawQuery() != null
                || parsed.getRawFragment() != null
                || !(path.isEmpty() || path.equals("/"))
                || parsed.getPort() == 0
                || parsed.getPort() > 65535) {
            throw invalid(uri);
        }
        int port = parsed.getPort() >= 0 ? parsed.getPort() : defaultPort(scheme);
        return new Upstream(scheme, parsed.getHost().toLowerCase(Locale.ROOT), port);
    }

    private static int defaultPort(String scheme) {
        return scheme.startsWith("https") ? 443 : 80;
    }

    private static Upstream of(String uri, String scheme, Matcher named) {
        String port = named.group(2);
        int number = port == null ? defaultPort(scheme) : Integer.parseInt(port);
        if (number < 1 || number > 65535 || !uri.matches("[A-Za-z0-9+]+://[^/?#]*/?")) {
            throw invalid(uri);
        }
        return new Upstream(scheme, named.group(1).toLowerCase(Locale.ROOT), number);
    }

    private static IllegalArgumentException invalid(String uri) {
        int at = uri.lastIndexOf('@');
        String shown = at < 0 ? uri : "…" + uri.substring(at);
        return new IllegalArgumentException("forward: " + (shown.isEmpty() ? "''" : shown)
                + (uri.indexOf(',') < 0
                        ? " (expected: http://host:port or https://host:port, h2c:// or https+h2:// for HTTP/2 and"
                                + " gRPC, port 1-65535, without user, path and query)"
                        : " (expected: one upstream in each URI, such as http://host:port)"));
    }

    /**
     * The same upstream, verified against these certificates instead of the JVM's trust store.
     *
     * @throws IllegalArgumentException if this upstream isn't {@code https}
     */
    public Upstream withTrust(TrustStore store) {
        Objects.requireNonNull(store, "trust");
        return new Upstream(secure("a trust store"), http2, host, port, store, identity, proxyProtocol, lenient);
    }

    /**
     * The same upstream, to which this client certificate is presented when it asks for one.
     *
     * @param certificate by {@code Certificates.pem} or {@code Certificates.pkcs12}
     * @throws IllegalArgumentException if it is any other source, or this upstream isn't {@code https}
     */
    public Upstream withIdentity(Certificates certificate) {
        Objects.requireNonNull(certificate, "certificate");
        if (!(certificate instanceof PemSource || certificate instanceof Pkcs12Source)) {
            throw new IllegalArgumentException(
                    "identity: " + certificate + " (expected: Certificates.pem(…) or Certificates.pkcs12(…))");
        }
        return new Upstream(secure("an identity"), http2, host, port, trust, certificate, proxyProtocol, lenient);
    }

    /**
     * The same upstream, which gets a PROXY header with the client's address first. A connection then serves one
     * exchange and is closed.
     *
     * @param version of the header: 1 for a line of text, 2 for the binary one
     * @throws IllegalArgumentException if it is neither
     */
    public Upstream withProxyProtocol(int version) {
        return new Upstream(scheme, http2, host, port, trust, identity, ProxyHeaderVersion.of(version), lenient);
    }

    /**
     * The same upstream, which may speak HTTP/2: the TLS handshake offers {@code h2} and {@code http/1.1}, and the
     * upstream chooses (RFC 7301); without a choice it gets HTTP/1.1. Exchanges share an HTTP/2 connection, except with
     * {@link #withProxyProtocol}. No effect on {@code h2c}.
     *
     * @throws IllegalArgumentException if this upstream is {@code http}: use {@code h2c://}
     */
    public Upstream withHttp2() {
        if (http2) {
            return this;
        }
        if (!tls()) {
            throw new IllegalArgumentException("forward: " + this + " (expected: h2c://" + authority()
                    + ", for HTTP/2 in cleartext, or an https:// upstream)");
        }
        return new Upstream(scheme, true, host, port, trust, identity, proxyProtocol, lenient);
    }

    /**
     * The same upstream, whose HTTP/1.1 responses may break some rules of RFC 9112, as those of small devices and old
     * servers do: lines of the head that end with LF alone; folded fields; {@code Content-Length} beside
     * {@code Transfer-Encoding: chunked}, where the chunks count; equal lengths in a list; up to 16 spaces or tabs
     * after a chunk size; chunks with HTTP/1.0; a status of 600 to 999. Default: the client gets 502 for each, and an
     * abort for the chunk size.
     *
     * <p>The client gets such a response as RFC 9112 has it, with one framing of its own, and the upstream connection
     * is closed after it; the first one is logged as a warning. Everything else stays refused, such as NUL, CR without
     * LF, different lengths, and folds in fields that frame the message. Health checks follow the same rules. No effect
     * on HTTP/2.
     *
     * <p>An LF that a client brings into a field of such an upstream's response starts another field: only for
     * upstreams that put nothing of a request into their heads, or whose clients are trusted.
     */
    public Upstream lenientResponses() {
        return new Upstream(scheme, http2, host, port, trust, identity, proxyProtocol, true);
    }

    /** Whether its responses may break some rules, see {@link #lenientResponses()}. */
    public boolean isLenient() {
        return lenient;
    }

    /** Whether HTTP/2 is possible: negotiated over TLS, or always in cleartext. */
    public boolean isHttp2() {
        return http2;
    }

    private String secure(String what) {
        if (!tls()) {
            throw new IllegalArgumentException(
                    "forward: " + this + " (expected: an https:// or https+h2:// upstream, for it has " + what + ")");
        }
        return scheme;
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

    /** What the upstream's certificate is verified against; empty for the JVM's trust store. */
    public Optional<TrustStore> trust() {
        return Optional.ofNullable(trust);
    }

    /** The client certificate for the upstream; empty for none. */
    public Optional<Certificates> identity() {
        return Optional.ofNullable(identity);
    }

    /** The version of the PROXY header that it gets; empty for none. */
    public Optional<ProxyHeaderVersion> proxyProtocol() {
        return Optional.ofNullable(proxyProtocol);
    }

    /** A hash for choosing among upstreams: the same in every JVM. */
    long place() {
        return place;
    }

    /** {@code host:port}. */
    public String authority() {
        return authority;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Upstream that
                && scheme.equals(that.scheme)
                && http2 == that.http2
                && host.equals(that.host)
                && port == that.port
                && Objects.equals(trust, that.trust)
                && Objects.equals(identity, that.identity)
                && proxyProtocol == that.proxyProtocol
                && lenient == that.lenient;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(place);
    }

    /** Such as {@code http://10.0.0.7:8000}: its name in records, logs, events, status and metrics. */
    @Override
    public String toString() {
        return uri;
    }
}
