package io.webproxy.undertow.forward;

import io.webproxy.undertow.message.Authority;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A reference to something on a server (RFC 3986 section 4.2): a URI of HTTP, or an absolute path. Any input is
 * accepted; the path is kept byte for byte. Pure and immutable.
 *
 * @param scheme {@code http} or {@code https}; empty if the reference has none
 * @param authority empty for an absolute path
 * @param rest path, query and fragment; it starts with a slash
 */
record Reference(String scheme, String authority, String rest) {
    private static final int DELETE = 0x7f;

    /** Parses a reference; null if it is relative, of another scheme, or invalid. */
    static @Nullable Reference of(String value) {
        if (value.chars().anyMatch(c -> c <= ' ' || c == DELETE)) {
            // browsers drop tabs: what follows one may become an authority (WHATWG URL section 4.4)
            return null;
        }
        if (value.startsWith("/") && !value.startsWith("//")) {
            // browsers treat a backslash as a slash
            return value.startsWith("/\\") ? null : new Reference("", "", value);
        }
        int slashes = value.indexOf("//");
        String scheme = slashes < 1 || value.charAt(slashes - 1) != ':'
                ? ""
                : value.substring(0, slashes - 1).toLowerCase(Locale.ROOT);
        if (slashes < 0 || !(slashes == 0 || scheme.equals("http") || scheme.equals("https"))) {
            return null;
        }
        int start = slashes + 2;
        int end = start;
        while (end < value.length() && "/?#".indexOf(value.charAt(end)) < 0) {
            end++;
        }
        String authority = value.substring(start, end);
        String rest = value.substring(end);
        return Authority.isValid(authority)
                ? new Reference(scheme, authority, rest.startsWith("/") ? rest : "/" + rest)
                : null;
    }

    /** Whether it has an authority of its own. */
    boolean isAbsolute() {
        return !authority.isEmpty();
    }

    /** Whether it belongs to an origin (RFC 6454 section 4); a reference without a scheme belongs to any. */
    boolean isOf(String otherScheme, String otherAuthority) {
        return (scheme.isEmpty() || scheme.equals(otherScheme))
                && normal(authority, otherScheme).equals(normal(otherAuthority, otherScheme));
    }

    private static String normal(String authority, String scheme) {
        String lower = authority.toLowerCase(Locale.ROOT);
        int colon = lower.lastIndexOf(':');
        if (colon <= lower.lastIndexOf(']')) {
            return lower;
        }
        String port = lower.substring(colon + 1);
        return port.isEmpty() || port.equals(scheme.equals("https") ? "443" : "80") ? lower.substring(0, colon) : lower;
    }

    /** The end of its path. */
    int pathEnd() {
        int end = 0;
        while (end < rest.length() && rest.charAt(end) != '?' && rest.charAt(end) != '#') {
            end++;
        }
        return end;
    }
}
