package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.FieldLines;
import io.webproxy.undertow.message.FieldParser;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one head or trailer section of HTTP/2 as they come out of HPACK, and whether they are well-formed (RFC
 * 9113 section 8.2 and 8.3). What is above the limits is not looked at; one field more is kept, so that it shows.
 */
abstract class FieldBlock implements FieldSink {
    /** What no limit counts: the separators of a field in HTTP/1.1. */
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

    /** An empty block; a limit of bytes counts names, values and separators. */
    FieldBlock(int mostBytes, int mostFields) {
        this.mostBytes = mostBytes;
        this.mostFields = mostFields;
    }

    @Override
    public final void field(HttpString name, String value) {
        decoded += name.length() + value.length();
        if (isTooLarge()) {
            // a byte can stand for 4,000: nobody looks at them
            return;
        }
        if (!FieldParser.isValue(value) || isPadded(value)) {
            malformed = true;
        } else if (name.length() > 0 && name.byteAt(0) == ':') {
            // first, and once
            malformed |= regular || !pseudo(name.toString(), value);
            pseudo = true;
        } else {
            regular(name, value);
        }
    }

    /** A pseudo-header field; false if there is none like it, or it has come before, or its value can't be. */
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

    /** White space around a value is none of HTTP/2's (RFC 9113 section 8.2.1). */
    private static boolean isPadded(String value) {
        return !value.isEmpty() && (isSpace(value.charAt(0)) || isSpace(value.charAt(value.length() - 1)));
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t';
    }

    /** Whether a field breaks a rule of its own, or stands in the wrong place. */
    final boolean isMalformed() {
        return malformed;
    }

    /** Those that came so far, without pseudo-header fields. */
    final HeaderMap fields() {
        return fields;
    }

    /** Whether it is above a limit, and so incomplete. */
    final boolean isTooLarge() {
        return bytes > mostBytes || count > mostFields;
    }

    /** Whether it is so far above its limit that it can only be meant to exhaust whoever reads it. */
    final boolean isBomb() {
        return decoded > (long) BOMB * mostBytes;
    }

    /** The trailers, or null if they are malformed or above a limit. */
    final @Nullable HeaderMap trailers() {
        return malformed || pseudo || isTooLarge() ? null : fields;
    }
}
