package io.webproxy.spi;

import java.net.IDN;
import java.net.Inet6Address;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Which hosts a route is for: one name or address, all names one level below a domain ({@code *.example.com}), or any.
 *
 * <p>Compared without regard to case, port and a trailing dot; internationalised names become A-labels. Immutable.
 */
public final class HostPattern {
    private static final HostPattern ANY = new HostPattern("");
    private static final Pattern NAME =
            Pattern.compile("[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*");

    /** Letters that IDNA 2003 maps away and IDNA 2008 keeps (RFC 5894 section 7.2): two A-labels for one name. */
    private static final Pattern DEVIATION = Pattern.compile("[\u00df\u03c2\u200c\u200d]");

    private final String pattern;

    private HostPattern(String pattern) {
        this.pattern = pattern;
    }

    /** Matches every host. */
    public static HostPattern any() {
        return ANY;
    }

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException if it is neither a host name, an address, nor {@code *.} and a domain
     */
    public static HostPattern of(String pattern) {
        String host = Objects.requireNonNull(pattern, "host").strip();
        if (host.indexOf(':') >= 0 && !host.startsWith("[") && IpLiteral.parse(host) != null) {
            host = "[" + host + "]";
        }
        if (DEVIATION.matcher(host).find()) {
            throw new IllegalArgumentException("route.host: " + pattern
                    + " (expected: the name's A-labels, xn--…, because there are two encodings of it)");
        }
        boolean wildcard = host.startsWith("*.");
        String name = normalize(wildcard ? host.substring(2) : host);
        boolean address = !wildcard && name.startsWith("[") && host.endsWith("]") && IpLiteral.parse(name) != null;
        if (!NAME.matcher(name).matches() && !address) {
            throw new IllegalArgumentException("route.host: " + pattern
                    + " (expected: a host name such as chat.example.com, *.example.com, or an IP address)");
        }
        return new HostPattern(wildcard ? "*." + name : name);
    }

    /** Whether this pattern matches every host. */
    public boolean isAny() {
        return pattern.isEmpty();
    }

    /** Whether this pattern starts with {@code *.}. */
    public boolean isWildcard() {
        return pattern.startsWith("*.");
    }

    /**
     * Whether a host matches this pattern.
     *
     * @param host as {@link #hostOf} gives it
     */
    public boolean matches(String host) {
        if (isAny()) {
            return true;
        }
        if (!isWildcard()) {
            return pattern.equals(host);
        }
        int dot = host.indexOf('.');
        return dot > 0 && host.length() - dot == pattern.length() - 1 && host.startsWith(pattern.substring(1), dot);
    }

    /**
     * The host of an authority ({@code host[:port]}): lower case, without the port and a trailing dot; an IPv6 address
     * in its canonical form (RFC 5952).
     */
    public static String hostOf(String authority) {
        int end = authority.length();
        if (authority.startsWith("[")) {
            int bracket = authority.indexOf(']');
            end = bracket < 0 ? end : bracket + 1;
        } else {
            int colon = authority.indexOf(':');
            end = colon < 0 ? end : colon;
        }
        if (end > 1 && authority.charAt(end - 1) == '.') {
            end--;
        }
        String host = authority.substring(0, end).toLowerCase(Locale.ROOT);
        return authority.startsWith("[") && IpLiteral.parse(host) instanceof Inet6Address address
                ? "[" + IpLiteral.text(address) + "]"
                : host;
    }

    private static String normalize(String host) {
        String name = hostOf(host);
        if (!host.startsWith("[") && host.indexOf(':') >= 0) {
            return host;
        }
        try {
            return name.startsWith("[") || isAscii(name) ? name : IDN.toASCII(name, IDN.USE_STD3_ASCII_RULES);
        } catch (IllegalArgumentException e) {
            return host;
        }
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(c -> c < 128);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HostPattern that && pattern.equals(that.pattern);
    }

    @Override
    public int hashCode() {
        return pattern.hashCode();
    }

    /** The pattern in its normal form; empty for any host. */
    @Override
    public String toString() {
        return pattern;
    }
}
