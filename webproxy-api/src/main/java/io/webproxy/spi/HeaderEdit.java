package io.webproxy.spi;

import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * One change of the fields of a message on its way through the server. Immutable.
 *
 * @param kind what is done
 * @param name the field's name, in any case
 * @param value what it is set to, or what is added; empty for {@link Kind#REMOVE}
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

    /** What is done with a field. */
    public enum Kind {
        /** The field has this one value, whatever it had. */
        SET,
        /** The field has this value after those it has. */
        ADD,
        /** The field is removed. */
        REMOVE
    }

    /**
     * Checks name and value.
     *
     * @throws IllegalArgumentException for a name that isn't a token (RFC 9110 section 5.1), one that frames the
     *     message, is meant for one connection, or says who the client is, and for a value with a control character
     */
    public HeaderEdit {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        // servers may take other punctuation for hyphens
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
}
