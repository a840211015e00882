package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.FieldLines;
import io.webproxy.undertow.message.FieldParser;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Collects the fields of one HTTP/2 head or trailer section from HPACK, and validates them (RFC 9113 sections 8.2 and
 * 8.3). It ignores fields above the limits, but keeps one more, so that the excess is visible.
 */
abstract class FieldBlock implements FieldSink {
    /** Not counted by limits: the separators of a field in HTTP/1.1. */
    private static final int SEPARATORS = 4;

    private static final int BOMB = 16;
    private static final Set<HttpString> OF_ONE_CONNECTION = Set.of(
            Headers.CONNECTION,
            new HttpString("keep-alive"),
            new HttpString("proxy-connection"),
            Headers.TRANSFER_ENCODING,
            Headers.UPGRADE);

    private final int mostBytes;
    private final int mostFields;
    private final HeaderMap fields = new HeaderMap();
    private boolean pseudo;
    private boolean regular;
    private boolean malformed;
    private int bytes;
    private long decoded;
    private int count;

    /** An empty block; {@code mostBytes} counts names, values and separators. */
    FieldBlock(int mostBytes, int mostFields) {
        this.mostBytes = mostBytes;
        this.mostFields = mostFields;
    }

    @Override
    public final void field(HttpString name, String value) {
        decoded += name.length() + value.length();
        if (isTooLarge()) {
            // one byte can stand for 4,000: they are ignored
            return;
        }
        if (!FieldParser.isValue(value) || isPadded(value)) {
            malformed = true;
        } else if (name.length() > 0 && name.byteAt(0) == ':') {
            // pseudo-header fields come first, and once
            malformed |= regular || !pseudo(name.toString(), value);
            pseudo = true;
        } else {
            regular(name, value);
        }
    }

    /** Takes a pseudo-header field; false if it is unknown, repeated or has an invalid value. */
    abstract boolean pseudo(String name, String value);

    private void regular(HttpString name, String value) {
        regular = true;
        malformed |= !isName(name)
                || OF_ONE_CONNECTION.contains(name)
                || (name.equals(Headers.TE) && !value.equalsIgnoreCase("trailers"));
        if (!malformed) {
            count++;
            bytes += name.length() + value.length() + SEPARATORS;
            add(fields, name, value);
        }
    }

    /** Adds a regular field. */
    void add(HeaderMap to, HttpString name, String value) {
        FieldLines.add(to, name, value);
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

    /** HTTP/2 doesn't allow white space around a value (RFC 9113 section 8.2.1). */
    private static boolean isPadded(String value) {
        return !value.isEmpty() && (isSpace(value.charAt(0)) || isSpace(value.charAt(value.length() - 1)));
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t';
    }

    /** Whether a field is invalid or out of place. */
    final boolean isMalformed() {
        return malformed;
    }

    /** The regular fields so far. */
    final HeaderMap fields() {
        return fields;
    }

    /** Whether it exceeds a limit, and so is incomplete. */
    final boolean isTooLarge() {
        return bytes > mostBytes || count > mostFields;
    }

    /** Whether it exceeds its limit by so much that it can only be an attack. */
    final boolean isBomb() {
        return decoded > (long) BOMB * mostBytes;
    }

    /** The trailers, or null if they are malformed or exceed a limit. */
    final @Nullable HeaderMap trailers() {
        return malformed || pseudo || isTooLarge() ? null : fields;
    }
}
