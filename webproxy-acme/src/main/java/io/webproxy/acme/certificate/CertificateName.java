package io.webproxy.acme.certificate;

import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Normalises names for certificates. */
public final class CertificateName {
    private static final int LONGEST = 253;
    private static final Pattern LABELS =
            Pattern.compile("(\\*\\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern NUMBERS = Pattern.compile("[0-9.]+");

    private CertificateName() {}

    /**
     * A DNS name in lower case without the final dot, possibly a wildcard, or an IP address without brackets.
     *
     * @return empty if no CA certifies such a name (RFC 8555 section 7.1.4: host names by RFC 1123, an IDN in its ASCII
     *     form)
     */
    public static Optional<String> canonical(String name) {
        InetAddress address = IpLiteral.parse(name);
        if (address != null) {
            return Optional.of(IpLiteral.text(address));
        }
        String lower = name.toLowerCase(Locale.ROOT);
        String plain = lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
        return plain.length() <= LONGEST
                        && LABELS.matcher(plain).matches()
                        && !NUMBERS.matcher(plain).matches()
                ? Optional.of(plain)
                : Optional.empty();
    }
}
