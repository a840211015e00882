package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.webproxy.undertow.message.MethodNames;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The path of a request: raw, for the upstream, and normalised, for routing (RFC 3986 section 6.2). Pure. */
public final class RequestPath {
    private static final Pattern PARAMETERS = Pattern.compile("(?:;|%3B)[^/]*");
    /** What some servers read as a slash: an encoded one, and on Windows a backslash. */
    private static final Pattern ENCODED_SEPARATOR = Pattern.compile("%2F|%5C");

    private static final Pattern SLASHES = Pattern.compile("/{2,}");
    /**
     * Reserved characters that a path may have unencoded (RFC 3986 section 3.3); some servers treat their encoded form
     * as the same.
     */
    private static final String DELIMITERS = "!$&'()*+,;=:@";

    /** Characters that a path can't have unencoded, and that servers read differently; browsers encode them. */
    private static final String NEVER = "\\#\"<>";

    private static final Pattern ENCODED_DELIMITER = Pattern.compile("%(2[146-9A-C]|3[ABD]|40)");

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private RequestPath() {}

    /** The raw path, without scheme and authority; null if it doesn't start with a slash. */
    public static @Nullable String raw(HttpServerExchange http) {
        String uri = http.getRequestURI();
        if (http.isHostIncludedInRequestURI()) {
            int scheme = uri.indexOf("//");
            int slash = scheme < 0 ? -1 : uri.indexOf('/', scheme + 2);
            return slash < 0 ? "/" : uri.substring(slash);
        }
        return uri.startsWith("/") || (uri.equals("*") && MethodNames.is(http.getRequestMethod(), "OPTIONS"))
                ? uri
                : null;
    }

    /**
     * The path for routing: unreserved characters decoded, forbidden ones encoded, encodings in upper case, dot
     * segments removed, empty segments merged.
     *
     * @return null if upstreams could read the path in different ways
     */
    public static @Nullable String normalized(String raw) {
        if (isPlain(raw)) {
            return raw.equals("*") ? "/" : raw;
        }
        String decoded = decoded(raw);
        return decoded == null ? null : resolved(decoded, true);
    }

    /**
     * Whether all readings of a path pass a test. Servers differ: some keep empty segments, strip parameters, decode
     * slashes or other reserved characters (RFC 3986 sections 2.2, 3.3 and 6.2), or read backslashes as slashes. A path
     * that is let in by one reading must not be served by another.
     *
     * @param raw a path that has a normalised form, {@code normalized}
     */
    public static boolean isReadAlike(String raw, String normalized, Predicate<String> likewise) {
        String decoded = isPlain(raw) ? null : decoded(raw);
        if (decoded == null) {
            return true;
        }
        String plain = ENCODED_DELIMITER
                .matcher(decoded)
                .replaceAll(code -> Matcher.quoteReplacement(Character.toString(Integer.parseInt(code.group(1), 16))));
        Set<String> readings = new LinkedHashSet<>();
        for (String path : List.of(decoded, plain)) {
            String slashes = path.replace("%2F", "/");
            readings.addAll(List.of(path, slashes, path.replace("%5C", "/"), slashes.replace("%5C", "/")));
        }
        for (String path : readings) {
            if (!(passes(resolved(path, true), normalized, likewise)
                    && passes(resolved(path, false), normalized, likewise)
                    && passes(resolved(withoutParameters(path), true), normalized, likewise)
                    && passes(resolved(withoutParameters(path), false), normalized, likewise))) {
                return false;
            }
        }
        return true;
    }

    private static boolean passes(@Nullable String other, String normalized, Predicate<String> likewise) {
        return other != null && (other.equals(normalized) || likewise.test(other));
    }

    private static String withoutParameters(String path) {
        return path.indexOf(';') < 0 && !path.contains("%3")
                ? path
                : PARAMETERS.matcher(path).replaceAll("");
    }

    /** Removes dot segments and empty segments; {@code mergeFirst}: the empty ones first. */
    private static @Nullable String resolved(String decoded, boolean mergeFirst) {
        Deque<String> segments = new ArrayDeque<>();
        String[] parts = decoded.split("/", -1);
        for (int i = 1; i < parts.length; i++) {
            String part = parts[i];
            boolean last = i == parts.length - 1;
            boolean dots = part.equals(".") || part.equals("..");
            if (!dots && hidesDots(part)) {
                return null;
            }
            if (part.equals("..")) {
                if (segments.pollLast() == null) {
                    return null;
                }
            } else if (!dots && !(mergeFirst && part.isEmpty())) {
                segments.addLast(part);
            }
            if (last && (part.isEmpty() || dots)) {
                segments.addLast("");
            }
        }
        String path = "/" + String.join("/", segments);
        return mergeFirst ? path : SLASHES.matcher(path).replaceAll("/");
    }

    /**
     * Whether a segment becomes a dot segment for an upstream that decodes slashes, reads backslashes as slashes, or
     * strips parameters.
     */
    private static boolean hidesDots(String part) {
        if (part.indexOf('%') < 0 && part.indexOf(';') < 0) {
            return false;
        }
        for (String piece : ENCODED_SEPARATOR.split(part, -1)) {
            String bare = withoutParameters(piece);
            if (bare.equals(".") || bare.equals("..")) {
                return true;
            }
        }
        return false;
    }

    private static boolean isPlain(String raw) {
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            boolean dotOrSlash = (c == '.' || c == '/') && i > 0 && raw.charAt(i - 1) == '/';
            if (c == ';' || dotOrSlash || !(c == '/' || isUnreserved(c) || DELIMITERS.indexOf(c) >= 0)) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable String decoded(String raw) {
        StringBuilder out = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (NEVER.indexOf(c) >= 0 || c >= 0x7f || c < ' ') {
                return null;
            }
            if (c != '%') {
                if (c == '/' || isUnreserved(c) || DELIMITERS.indexOf(c) >= 0) {
                    out.append(c);
                } else {
                    encoded(out, c);
                }
                continue;
            }
            int high = i + 2 < raw.length() ? hex(raw.charAt(i + 1)) : -1;
            int low = high < 0 ? -1 : hex(raw.charAt(i + 2));
            if (low < 0) {
                return null;
            }
            int code = high << 4 | low;
            if (code == 0) {
                return null;
            }
            if (isUnreserved(code)) {
                out.append((char) code);
            } else {
                encoded(out, code);
            }
            i += 2;
        }
        return out.toString();
    }

    private static void encoded(StringBuilder out, int code) {
        out.append('%').append(HEX.toHexDigits((byte) code));
    }

    private static int hex(char c) {
        return c < 0x80 ? Character.digit(c, 16) : -1;
    }

    private static boolean isUnreserved(int c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '.'
                || c == '_'
                || c == '~';
    }
}
