package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.route.Route;
import io.webproxy.undertow.exchange.RequestPath;
import io.webproxy.undertow.exchange.UpstreamPath;
import io.webproxy.undertow.message.FieldLines;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Translates paths between client and upstream on a route that strips or replaces its prefix. References to other
 * origins, and malformed ones, stay unchanged. Pure and immutable.
 *
 * @param client how the client reached the server
 * @param sent the origin of the request that the upstream got, with its {@code Host}
 * @param upstream the origin of the upstream's URI
 */
record Locations(Route route, WebOrigin client, WebOrigin sent, WebOrigin upstream) {
    static final HttpString DESTINATION = new HttpString("Destination");
    private static final HttpString CONTENT_LOCATION = new HttpString("Content-Location");
    private static final String HOST_COOKIE = "__Host-";

    /** The origin of an HTTP server. */
    record WebOrigin(String scheme, String authority) {
        private boolean has(Reference reference) {
            return reference.isOf(scheme, authority);
        }
    }

    // --- to the client ---

    /** Puts the route's prefix into the fields of a response. */
    void rewrite(HeaderMap fields) {
        rewrite(fields, Headers.LOCATION, this::location);
        rewrite(fields, CONTENT_LOCATION, this::location);
        rewrite(fields, Headers.SET_COOKIE, this::cookie);
    }

    private static void rewrite(HeaderMap fields, HttpString name, UnaryOperator<String> change) {
        HeaderValues values = fields.get(name);
        if (values != null) {
            List<String> changed = FieldLines.lines(values).stream().map(change).toList();
            fields.remove(name);
            changed.forEach(value -> FieldLines.addOfResponse(fields, name, value));
        }
    }

    /** A reference of the upstream, translated for the client. */
    String location(String value) {
        Reference reference = Reference.of(value);
        if (reference == null
                || (reference.isAbsolute()
                        && !upstream.has(reference)
                        && !sent.has(reference)
                        && !client.has(reference))) {
            return value;
        }
        int end = reference.pathEnd();
        String path = prefixed(reference.rest().substring(0, end));
        return path == null ? value : path + reference.rest().substring(end);
    }

    /** A path of the upstream, translated for the client; null if the client can't reach it. */
    private @Nullable String prefixed(String path) {
        String replaced = route.rewrite().prefix().orElse("");
        if (!path.startsWith(replaced)
                || (path.length() > replaced.length() && path.charAt(replaced.length()) != '/')) {
            return null;
        }
        String prefix = route.path().toString();
        String whole = (prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix)
                + path.substring(replaced.length());
        // two slashes would start an authority, also because browsers treat a backslash as a slash
        return whole.startsWith("//") || whole.startsWith("/\\") ? null : whole.isEmpty() ? "/" : whole;
    }

    /** A {@code Set-Cookie} of the upstream, translated for the client (RFC 6265 section 5.2.4). */
    String cookie(String value) {
        if (value.stripLeading().regionMatches(true, 0, HOST_COOKIE, 0, HOST_COOKIE.length())) {
            // browsers refuse it with another path than the root
            return value;
        }
        StringBuilder changed = new StringBuilder(value.length() + route.path().length());
        int start = 0;
        while (start <= value.length()) {
            int semicolon = value.indexOf(';', start);
            int end = semicolon < 0 ? value.length() : semicolon;
            String part = value.substring(start, end);
            changed.append(start == 0 ? part : ";" + attribute(part));
            start = end + 1;
        }
        return changed.toString();
    }

    private String attribute(String part) {
        int equals = part.indexOf('=');
        if (equals < 0 || !part.substring(0, equals).strip().equalsIgnoreCase("path")) {
            return part;
        }
        String path = part.substring(equals + 1).strip();
        String whole = !path.startsWith("/")
                ? null
                : path.equals("/") && route.rewrite().prefix().orElse("").isEmpty()
                        ? route.path().toString()
                        : prefixed(path);
        return whole == null ? part : part.substring(0, equals + 1) + whole;
    }

    // --- to the upstream ---

    /** A {@code Destination} of the client, translated for the upstream (RFC 4918 section 10.3). */
    String destination(String value) {
        Reference reference = Reference.of(value);
        // a proxy before this server may terminate TLS
        if (reference == null
                || (reference.isAbsolute()
                        && !reference.isOf("http", client.authority)
                        && !reference.isOf("https", client.authority))) {
            return value;
        }
        int end = reference.pathEnd();
        String raw = reference.rest().substring(0, end);
        String normalized = RequestPath.normalized(raw);
        if (normalized == null
                || !route.path().matches(normalized)
                || !RequestPath.isReadAlike(raw, normalized, route.path()::matches)) {
            return value;
        }
        String path = UpstreamPath.of(raw, normalized, route.path(), route.rewrite());
        if (path == null) {
            return value;
        }
        String rest = path + reference.rest().substring(end);
        return reference.isAbsolute() || path.startsWith("//") ? sent.scheme + "://" + sent.authority + rest : rest;
    }
}
