package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.spi.PathPrefix;
import io.webproxy.undertow.message.FieldParser;
import java.util.Set;

/**
 * Writes the fields that tell the upstream about the client: {@code X-Forwarded-*}, {@code X-Real-IP} and
 * {@code Forwarded} (RFC 7239). Pure.
 */
public final class ForwardedFields {
    static final HttpString FOR = new HttpString("X-Forwarded-For");
    static final HttpString PROTO = new HttpString("X-Forwarded-Proto");
    static final HttpString HOST = new HttpString("X-Forwarded-Host");
    static final HttpString PORT = new HttpString("X-Forwarded-Port");
    static final HttpString REAL_IP = new HttpString("X-Real-IP");
    static final HttpString PREFIX = new HttpString("X-Forwarded-Prefix");
    static final HttpString FORWARDED = new HttpString("Forwarded");
    /** The names of these fields; a client's own are never passed on. */
    public static final Set<HttpString> ALL = Set.of(
            FOR,
            PROTO,
            HOST,
            PORT,
            REAL_IP,
            FORWARDED,
            new HttpString("X-Forwarded-Server"),
            new HttpString("X-Forwarded-Scheme"),
            new HttpString("X-Forwarded-Ssl"),
            new HttpString("X-Forwarded-By"),
            PREFIX);

    private static final Set<HttpString> X_FORWARDED = Set.of(FOR, PROTO, HOST, PORT, REAL_IP, PREFIX);

    private ForwardedFields() {}

    /** Whether a field belongs to a family that isn't written: then a trusted proxy's own passes. */
    public static boolean isUnwritten(HttpString name, ForwardedHeaders written) {
        return (!written.hasForwarded() && name.equals(FORWARDED))
                || (!written.hasXForwarded() && X_FORWARDED.contains(name));
    }

    /**
     * Adds {@code X-Forwarded-Prefix}: the part of the path that only the client sees. It has no standard; servers
     * prepend it to the paths in their responses.
     *
     * @param taken the prefix that was stripped; the root for none
     * @param trusted whether the peer is a trusted proxy: its own prefix is then put first
     */
    public static void writePrefix(FieldWriter out, HeaderMap in, PathPrefix taken, boolean trusted) {
        String prefix = (trusted ? withoutSlash(joined(in, PREFIX)) : "") + withoutSlash(taken.toString());
        if (!prefix.isEmpty()) {
            out.field(PREFIX, prefix);
        }
    }

    /** Joins several values of one name to a list. */
    static String joined(HeaderMap fields, HttpString name) {
        HeaderValues values = fields.get(name);
        return values == null ? "" : String.join(", ", values);
    }

    private static String withoutSlash(String path) {
        return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }

    /** One element of {@code Forwarded}: {@code for=192.0.2.1;host=example.com;proto=https}. */
    static String element(String scheme, String authority, String peer) {
        StringBuilder element = new StringBuilder(128).append("for=");
        if (peer.indexOf(':') >= 0) {
            element.append("\"[").append(peer).append("]\"");
        } else {
            element.append(peer);
        }
        if (!authority.isEmpty()) {
            element.append(";host=");
            if (FieldParser.isToken(authority)) {
                element.append(authority);
            } else {
                quoted(authority, element);
            }
        }
        return element.append(";proto=").append(scheme).toString();
    }

    private static void quoted(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\');
            }
            out.append(c);
        }
        out.append('"');
    }

    /** The port that the client used: that of the authority, else the scheme's default. */
    static String port(String scheme, String authority) {
        int colon = authority.lastIndexOf(':');
        if (colon > authority.lastIndexOf(']') && colon < authority.length() - 1) {
            return authority.substring(colon + 1);
        }
        return isSecure(scheme) ? "443" : "80";
    }

    /** Whether a scheme is over TLS; some proxies send WebSocket schemes. */
    static boolean isSecure(String scheme) {
        return scheme.equals("https") || scheme.equals("wss");
    }

    /** The request's authority, as {@link Headers#HOST} has it. */
    public static String authority(HeaderMap in) {
        String host = in.getFirst(Headers.HOST);
        return host == null ? "" : host;
    }
}
