package io.webproxy.spi;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The start of a path, aligned to segments: {@code /api} covers {@code /api} and {@code /api/x}, never {@code /apix};
 * {@code /api/} covers {@code /api/} and everything below it. Paths are compared byte for byte. Immutable.
 */
public final class PathPrefix {
    private static final PathPrefix ROOT = new PathPrefix("/");
    private static final Pattern VALID = Pattern.compile("/[A-Za-z0-9\\-._~!$&'()*+,;=:@/%]*");

    /**
     * Encodings other than those of characters that a path may have unencoded (RFC 3986 section 3.3), except the slash;
     * not NUL, not a backslash.
     */
    private static final Pattern ENCODED = Pattern.compile(
            "%(?!00|2[146-9A-Ea-e]|3[0-9ABDabd]|4[0-9A-Fa-f]|5[0-9AaCcFf]|6[1-9A-Fa-f]|7[0-9AaEe])[0-9A-Fa-f]{2}");

    private static final Pattern CODE = Pattern.compile("%[0-9A-Fa-f]{2}");

    private final String prefix;

    private PathPrefix(String prefix) {
        this.prefix = prefix;
    }

    /** Covers every path. */
    public static PathPrefix root() {
        return ROOT;
    }

    /**
     * Reads a prefix.
     *
     * @throws IllegalArgumentException if it doesn't start with a slash, isn't a legal path, or isn't in its normal
     *     form
     */
    public static PathPrefix of(String prefix) {
        Objects.requireNonNull(prefix, "path");
        boolean dots = ("/" + prefix + "/").contains("/../") || ("/" + prefix + "/").contains("/./");
        if (!VALID.matcher(prefix).matches() || prefix.contains("//") || dots || !isNormal(prefix)) {
            throw new IllegalArgumentException("route.path: " + prefix
                    + " (expected: a path that starts with /, percent-encoded, without //, . and .. segments)");
        }
        // case doesn't matter in an encoding (RFC 3986 section 6.2.2.1)
        return prefix.equals("/")
                ? ROOT
                : new PathPrefix(
                        CODE.matcher(prefix).replaceAll(code -> code.group().toUpperCase(Locale.ROOT)));
    }

    /**
     * Whether percent-encodings are valid, and encode only characters that need it: requests are compared in that form.
     */
    private static boolean isNormal(String prefix) {
        for (int percent = prefix.indexOf('%'); percent >= 0; percent = prefix.indexOf('%', percent + 1)) {
            if (!ENCODED.matcher(prefix.substring(percent)).lookingAt()) {
                return false;
            }
        }
        return true;
    }

    /** Whether a path starts with this prefix, at the end of a segment. */
    public boolean matches(String path) {
        return path.startsWith(prefix)
                && (prefix.endsWith("/") || path.length() == prefix.length() || path.charAt(prefix.length()) == '/');
    }

    /** The rest of a matching path, with a leading slash. */
    public String strip(String path) {
        String rest = path.substring(prefix.endsWith("/") ? prefix.length() - 1 : prefix.length());
        return rest.isEmpty() ? "/" : rest;
    }

    /** The number of characters; a longer prefix is more specific. */
    public int length() {
        return prefix.length();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PathPrefix that && prefix.equals(that.prefix);
    }

    @Override
    public int hashCode() {
        return prefix.hashCode();
    }

    /** The prefix, with percent-encodings in upper case. */
    @Override
    public String toString() {
        return prefix;
    }
}
