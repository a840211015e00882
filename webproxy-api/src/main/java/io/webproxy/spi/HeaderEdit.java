package io.webproxy.spi;

import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * One change of the fields of a message that passes the server. Immutable.
 *
 * @param kind the kind of change
 * @param name the field's name, in any case
 * @param value the value to set or add; empty for {@link Kind#REMOVE}
 */
public record HeaderEdit(Kind kind, String name, String value) {
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}");
    private static final Set<String> OURS = Set.of(
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "upgrade",
            "forwarded",
            "x-real-ip",
            "client-cert",
            "client-cert-chain",
            "x-request-id",
            "gateway-loop");

    /** The kind of a change. */
    public enum Kind {
        /** The field gets this one value, replacing any others. */
        SET,
        /** The field gets this value in addition to others. */
        ADD,
        /** The field is removed. */
        REMOVE
    }

    /**
     * Checks name and value.
     *
     * @throws IllegalArgumentException if the name isn't a token (RFC 9110 section 5.1), frames the message, is
     *     hop-by-hop or identifies the client, or if the value has a control character
     */
    public HeaderEdit {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        // servers may confuse other punctuation with hyphens
        String lower = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "-");
        if (!TOKEN.matcher(name).matches() || OURS.contains(lower) || lower.startsWith("x-forwarded-")) {
            throw new IllegalArgumentException(
                    "header: " + name
                            + " (expected: a field name, none that the proxy itself writes: Host, Content-Length, connection fields, X-Forwarded-*)");
        }
        if (!value.chars().allMatch(c -> c == '\t' || (c >= ' ' && c != 0x7f && c <= 0xff))
                || !value.strip().equals(value)) {
            throw new IllegalArgumentException(
                    "header " + name + ": its value (expected: no control characters, no white space at its ends)");
        }
    }

    /** Without the value, which may be secret. */
    @Override
    public String toString() {
        return "HeaderEdit[" + kind + " " + name + "]";
    }
}
