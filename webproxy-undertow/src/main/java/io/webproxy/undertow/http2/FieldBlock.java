package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.FieldLines;
import io.webproxy.undertow.message.FieldParser;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one request head or trailer section of HTTP/2 as they come out of HPACK, and whether they are well-formed (RFC 9113 section 8.2 and 8.3).
 * What is above the limits is not looked at; one field more is kept, so that it shows.
 */
final class FieldBlock implements FieldSink {
    /** What no limit counts: the separators of a field in HTTP/1.1. */
    private static final int SEPARATORS = 4;

    private static final int BOMB = 16;
    private static final int MAX_LENGTH_DIGITS = 18;
    private static final Set<HttpString> OF_ONE_CONNECTION = Set.of(
            Headers.CONNECTION,
            new HttpString("keep-alive"),
            new HttpString("proxy-connection"),
            Headers.TRANSFER_ENCODING,
            Headers.UPGRADE);

    private final int mostBytes;
    private final int mostFields;
    private final HeaderMap fields = new HeaderMap();
    private @Nullable String method;
    private @Nullable String scheme;
    private @Nullable String path;
    private @Nullable String authority;
    private @Nullable String protocol;
    private boolean pseudo;
    private boolean regular;
    private boolean malformed;
    private int bytes;
    private long decoded;
    private int count;

    /** An empty block; a limit of bytes counts names, values and separators. */
    FieldBlock(int mostBytes, int mostFields) {
        this.mostBytes = mostBytes;
        this.mostFields = mostFields;
    }

    @Override
    public void field(HttpString name, String value) {
        decoded += name.length() + value.length();
        if (isTooLarge()) {
            // a byte can stand for 4,000: nobody looks at them
            return;
        }
        if (!FieldParser.isValue(value) || isPadded(value)) {
            malformed = true;
        } else if (name.length() > 0 && name.byteAt(0) == ':') {
            pseudo(name.toString(), value);
        } else {
            regular(name, value);
        }
    }

    /** Pseudo-header fields come first and once; those of responses and unknown ones don't come at all. */
    private void pseudo(String name, String value) {
        malformed |= regular;
        pseudo = true;
        switch (name) {
            case ":method" -> {
                malformed |= method != null || !FieldParser.isToken(value);
                method = value;
            }
            case ":scheme" -> {
                malformed |= scheme != null || !FieldParser.isToken(value);
                scheme = value;
            }
            case ":path" -> {
                malformed |= path != null || !isTarget(value);
                path = value;
            }
            case ":authority" -> {
                malformed |= authority != null || !isAuthority(value);
                authority = value;
            }
            case ":protocol" -> {
                // RFC 8441 section 4
                malformed |= protocol != null || !FieldParser.isToken(value);
                protocol = value;
            }
            default -> malformed = true;
        }
    }

    private void regular(HttpString name, String value) {
        regular = true;
        malformed |= !isName(name)
                || OF_ONE_CONNECTION.contains(name)
                || (name.equals(Headers.TE) && !value.equalsIgnoreCase("trailers"));
        if (!malformed) {
            count++;
            bytes += name.length() + value.length() + SEPARATORS;
            FieldLines.add(fields, name, value);
        }
    }

    private static boolean isName(HttpString name) {
        String text = name.toString();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 'A' && c <= 'Z') {
                return false;
            }
        }
        return FieldParser.isToken(text);
    }

    /** White space around a value is none of HTTP/2's (RFC 9113 section 8.2.1). */
    private static boolean isPadded(String value) {
        return !value.isEmpty() && (isSpace(value.charAt(0)) || isSpace(value.charAt(value.length() - 1)));
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t';
    }

    /** In a query, bytes above ASCII are what a client means them to be. */
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

    /** Without the characters that no part of a URI may have as they are (RFC 3986 section 2). */
    private static boolean isAuthority(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c <= ' ' || c >= 0x7f || "\"#<>\\^`{|}".indexOf(c) >= 0) {
                return false;
            }
        }
        return true;
    }

    /** The method; empty if none that is well-formed has come. */
    String method() {
        return method != null && FieldParser.isToken(method) ? method : "";
    }

    /** The target; empty if none that is well-formed has come. */
    String path() {
        return path != null && isTarget(path) ? path : "";
    }

    /** The authority; empty if none that is well-formed has come. */
    String authority() {
        return authority != null && isAuthority(authority) ? authority : "";
    }

    /** Whether it is above a limit, and so incomplete. */
    boolean isTooLarge() {
        return bytes > mostBytes || count > mostFields;
    }

    /** Whether it is so far above its limit that it can only be meant to exhaust the server. */
    boolean isBomb() {
        return decoded > (long) BOMB * mostBytes;
    }

    /** The length of the body, -1 if none is told; only after {@link #request()} has found nothing wrong with it. */
    long contentLength() {
        String length = fields.getFirst(Headers.CONTENT_LENGTH);
        return length == null || isTooLarge() ? -1 : Long.parseLong(length);
    }

    /** The protocol that is to be spoken on the stream (RFC 8441 section 4), or null for none. */
    @Nullable String protocol() {
        return protocol;
    }

    /** The fields of a request, with {@code Host} in place of {@code :authority}; or null if it is malformed (RFC 9113 section 8.3.1). */
    @Nullable HeaderMap request() {
        HeaderValues hosts = fields.get(Headers.HOST);
        String host = hosts == null ? null : hosts.getFirst();
        if (malformed
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

    /** A request of CONNECT has none (RFC 9113 section 8.5), and isn't served, unless it names a protocol. */
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

    /** The trailers, or null if they are malformed or above a limit. */
    @Nullable HeaderMap trailers() {
        return malformed || pseudo || isTooLarge() ? null : fields;
    }
}
