package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;

/** Rules for the fields that a proxy forwards (RFC 9110 sections 6.5 and 7.6.1). Pure. */
public final class FieldRules {
    private static final HttpString KEEP_ALIVE = new HttpString("Keep-Alive");
    private static final HttpString PROXY_CONNECTION = new HttpString("Proxy-Connection");
    private static final HttpString HTTP2_SETTINGS = new HttpString("HTTP2-Settings");
    private static final HttpString[] NAMES_OF_HOPS = {
        Headers.CONNECTION,
        KEEP_ALIVE,
        PROXY_CONNECTION,
        Headers.PROXY_AUTHENTICATE,
        Headers.PROXY_AUTHORIZATION,
        Headers.TE,
        Headers.TRANSFER_ENCODING,
        Headers.UPGRADE,
        HTTP2_SETTINGS
    };

    /** Where else a service is (RFC 7838). */
    public static final HttpString ALT_SVC = new HttpString("Alt-Svc");

    /** The names of hop-by-hop fields. */
    public static final Set<HttpString> HOP_BY_HOP = Set.of(NAMES_OF_HOPS);

    private static final Set<String> TRAILERS = Set.of(
            "content-digest",
            "digest",
            "etag",
            "expires",
            "grpc-message",
            "grpc-status",
            "grpc-status-details-bin",
            "link",
            "repr-digest",
            "server-timing",
            "signature",
            "signature-input");
    /** Parts of names that identify someone or route a message. */
    private static final List<String> NEVER_IN_TRAILERS = List.of(
            "accel",
            "account",
            "admin",
            "api",
            "auth",
            "cert",
            "client",
            "cookie",
            "csrf",
            "forward",
            "group",
            "host",
            "-ip",
            "key",
            "method",
            "original",
            "path",
            "port",
            "proto",
            "proxy",
            "real",
            "remote",
            "request",
            "rewrite",
            "role",
            "scheme",
            "scope",
            "sendfile",
            "session",
            "ssl",
            "tenant",
            "tls",
            "token",
            "uri",
            "url",
            "user",
            "xsrf");

    private FieldRules() {}

    /** Whether a field is hop-by-hop by its name alone. */
    public static boolean isHopByHop(HttpString name) {
        return HOP_BY_HOP.contains(name);
    }

    /** Removes hop-by-hop fields and those that {@code Connection} names; {@code Trailer} stays. */
    public static void stripHopByHop(HeaderMap fields) {
        HeaderValues connection = fields.get(Headers.CONNECTION);
        if (connection != null && !(connection.size() == 1 && isKeepAlive(connection.getFirst()))) {
            for (String name : tokens(connection)) {
                if (FieldParser.isToken(name)) {
                    fields.remove(new HttpString(name));
                }
            }
        }
        for (HttpString name : NAMES_OF_HOPS) {
            fields.remove(name);
        }
    }

    /** The names in {@code Connection} that aren't hop-by-hop by definition: those fields are dropped too. */
    public static Set<HttpString> namedByConnection(HeaderMap fields) {
        HeaderValues connection = fields.get(Headers.CONNECTION);
        if (connection == null || (connection.size() == 1 && isPlain(connection.getFirst()))) {
            return Set.of();
        }
        Set<HttpString> named = new HashSet<>();
        for (String token : tokens(connection)) {
            if (FieldParser.isToken(token)) {
                named.add(new HttpString(token));
            }
        }
        return named;
    }

    private static boolean isPlain(String value) {
        return value.equalsIgnoreCase("close") || isKeepAlive(value) || value.equalsIgnoreCase("upgrade");
    }

    private static boolean isKeepAlive(String value) {
        return value.equalsIgnoreCase("keep-alive");
    }

    /** Whether a list field contains a token, ignoring case. */
    public static boolean hasToken(HeaderMap fields, HttpString name, String token) {
        HeaderValues values = fields.get(name);
        if (values == null) {
            return false;
        }
        if (values.size() == 1) {
            // the usual case
            String only = values.getFirst();
            if (only.equalsIgnoreCase(token)) {
                return true;
            }
            if (isPlain(only)) {
                return false;
            }
        }
        return tokens(values).stream().anyMatch(token::equalsIgnoreCase);
    }

    /** The elements of a list field, without parameters and white space. */
    public static List<String> tokens(Collection<String> values) {
        List<String> tokens = new ArrayList<>();
        for (String value : values) {
            for (String element : value.split(",", -1)) {
                int semicolon = element.indexOf(';');
                String token = (semicolon < 0 ? element : element.substring(0, semicolon)).strip();
                if (!token.isEmpty()) {
                    tokens.add(token);
                }
            }
        }
        return tokens;
    }

    /**
     * The trailers to forward: well-known ones, and extension fields ({@code X-…}, {@code Grpc-…}) that aren't read for
     * routing or identity. Everything that frames, routes, authenticates or describes the message is dropped.
     */
    public static HeaderMap allowedTrailers(HeaderMap trailers) {
        return allowedTrailers(trailers, name -> true);
    }

    /**
     * The trailers to forward to a gRPC client, which reads them as metadata and never as part of the head: all but
     * those that frame, route or authenticate.
     */
    public static HeaderMap metadata(HeaderMap trailers) {
        HeaderMap allowed = new HeaderMap();
        for (HeaderValues values : trailers) {
            HttpString name = values.getHeaderName();
            if (FieldParser.isToken(name.toString())
                    && !isHopByHop(name)
                    && !name.equals(Headers.SET_COOKIE)
                    && !name.equals(ALT_SVC)
                    && !FieldNames.isProtected(FieldNames.folded(name))
                    && values.stream().allMatch(FieldParser::isValue)) {
                allowed.addAll(name, values);
            }
        }
        return allowed;
    }

    /** The allowed trailers whose names pass a test. */
    static HeaderMap allowedTrailers(HeaderMap trailers, Predicate<HttpString> test) {
        HeaderMap allowed = new HeaderMap();
        for (HeaderValues values : trailers) {
            HttpString name = values.getHeaderName();
            if (FieldParser.isToken(name.toString())
                    && isAllowedTrailer(name)
                    && test.test(name)
                    && values.stream().allMatch(FieldParser::isValue)) {
                allowed.addAll(name, values);
            }
        }
        return allowed;
    }

    private static boolean isAllowedTrailer(HttpString field) {
        String name = field.toString().toLowerCase(Locale.ROOT);
        String folded = FieldNames.folded(field);
        if (!FieldNames.isUsual(field) && (FieldNames.isProtected(folded) || TRAILERS.contains(folded))) {
            return false;
        }
        return TRAILERS.contains(name)
                || name.startsWith("grpc-")
                || (folded.startsWith("x-")
                        && name.startsWith("x")
                        && NEVER_IN_TRAILERS.stream().noneMatch(folded::contains));
    }
}
