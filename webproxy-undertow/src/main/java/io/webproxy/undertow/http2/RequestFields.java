package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.FieldParser;
import org.jspecify.annotations.Nullable;

/** The fields of one request head, or of the trailer section of a request (RFC 9113 section 8.3.1). */
final class RequestFields extends FieldBlock {
    private static final int MAX_LENGTH_DIGITS = 18;

    private @Nullable String method;
    private @Nullable String scheme;
    private @Nullable String path;
    private @Nullable String authority;
    private @Nullable String protocol;

    /** An empty block; {@code mostBytes} counts names, values and separators. */
    RequestFields(int mostBytes, int mostFields) {
        super(mostBytes, mostFields);
    }

    @Override
    boolean pseudo(String name, String value) {
        boolean valid;
        switch (name) {
            case ":method" -> {
                valid = method == null && FieldParser.isToken(value);
                method = value;
            }
            case ":scheme" -> {
                valid = scheme == null && FieldParser.isToken(value);
                scheme = value;
            }
            case ":path" -> {
                valid = path == null && isTarget(value);
                path = value;
            }
            case ":authority" -> {
                valid = authority == null && isAuthority(value);
                authority = value;
            }
            case ":protocol" -> {
                // RFC 8441 section 4
                valid = protocol == null && FieldParser.isToken(value);
                protocol = value;
            }
            default -> valid = false;
        }
        return valid;
    }

    /** In a query, bytes above ASCII pass as the client sent them. */
    private static boolean isTarget(String text) {
        boolean query = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            query |= c == '?';
            if (c <= ' ' || c == 0x7f || (c > 0x7f && !query) || c == '#') {
                return false;
            }
        }
        return true;
    }

    /** An authority has no characters that a URI can't have unencoded (RFC 3986 section 2). */
    private static boolean isAuthority(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c <= ' ' || c >= 0x7f || "\"#<>\\^`{|}".indexOf(c) >= 0) {
                return false;
            }
        }
        return true;
    }

    /** The method; empty if there is no valid one. */
    String method() {
        return method != null && FieldParser.isToken(method) ? method : "";
    }

    /** The target; empty if there is no valid one. */
    String path() {
        return path != null && isTarget(path) ? path : "";
    }

    /** The authority; empty if there is no valid one. */
    String authority() {
        return authority != null && isAuthority(authority) ? authority : "";
    }

    /** The announced length of the body, -1 if there is none; only after {@link #request()} has returned fields. */
    long contentLength() {
        String length = fields().getFirst(Headers.CONTENT_LENGTH);
        return length == null || isTooLarge() ? -1 : Long.parseLong(length);
    }

    /** The protocol of an extended CONNECT (RFC 8441 section 4), or null. */
    @Nullable String protocol() {
        return protocol;
    }

    /**
     * The fields of a request, with {@code Host} instead of {@code :authority}; null if it is malformed (RFC 9113
     * section 8.3.1).
     */
    @Nullable HeaderMap request() {
        HeaderMap fields = fields();
        HeaderValues hosts = fields.get(Headers.HOST);
        String host = hosts == null ? null : hosts.getFirst();
        if (isMalformed()
                || method == null
                || !hasTarget(method)
                || !isLength(fields.get(Headers.CONTENT_LENGTH))
                || (hosts != null && hosts.size() > 1)
                || (host != null && !isAuthority(host))
                || (host != null && authority != null && !host.equalsIgnoreCase(authority))) {
            return null;
        }
        if (authority != null) {
            fields.put(Headers.HOST, authority);
        }
        return fields;
    }

    /** A plain CONNECT has none (RFC 9113 section 8.5), and isn't served. */
    private boolean hasTarget(String of) {
        return of.equals("CONNECT") == (protocol != null)
                && scheme != null
                && path != null
                && (path.startsWith("/") || (path.equals("*") && of.equals("OPTIONS")));
    }

    private static boolean isLength(@Nullable HeaderValues lengths) {
        if (lengths == null) {
            return true;
        }
        String length = lengths.getFirst();
        return lengths.size() == 1
                && !length.isEmpty()
                && length.length() <= MAX_LENGTH_DIGITS
                && length.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
