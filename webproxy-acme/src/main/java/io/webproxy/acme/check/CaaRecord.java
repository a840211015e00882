package io.webproxy.acme.check;

import io.webproxy.acme.ChallengeKind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * A CAA record, by which a domain's owner says which CAs may issue for it (RFC 8659 section 4).
 *
 * @param critical whether a CA that doesn't know the tag must not issue
 * @param tag such as {@code issue}, in lower case
 * @param value such as {@code letsencrypt.org; validationmethods=dns-01}
 */
record CaaRecord(boolean critical, String tag, String value) {
    /** Parses any bytes; truncated values are empty. */
    static CaaRecord parse(byte[] data) {
        boolean critical = data.length > 0 && (data[0] & 0x80) != 0;
        int tagLength = data.length > 1 ? data[1] & 0xff : 0;
        int value = Math.min(data.length, 2 + tagLength);
        return new CaaRecord(
                critical,
                text(data, Math.min(data.length, 2), value).toLowerCase(Locale.ROOT),
                text(data, value, data.length));
    }

    private static String text(byte[] data, int from, int to) {
        return new String(Arrays.copyOfRange(data, from, to), StandardCharsets.ISO_8859_1);
    }

    /** The CA that may issue; empty for none. */
    String issuer() {
        return parameters()[0].strip().toLowerCase(Locale.ROOT);
    }

    /** Whether a type of challenge may be used (RFC 8657 section 4). */
    boolean allows(ChallengeKind kind) {
        for (String parameter : parameters()) {
            String[] nameAndValue = parameter.split("=", 2);
            if (nameAndValue.length == 2 && nameAndValue[0].strip().equalsIgnoreCase("validationmethods")) {
                return Arrays.stream(nameAndValue[1].split(",", -1))
                        .anyMatch(method -> method.strip().equals(kind.type()));
            }
        }
        return true;
    }

    private String[] parameters() {
        return value.split(";", -1);
    }
}
