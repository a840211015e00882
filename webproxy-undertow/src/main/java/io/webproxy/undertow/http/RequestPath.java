package io.webproxy.undertow.http;

import io.undertow.server.HttpServerExchange;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The path of a request: as it came, for the upstream; and normalised, for routing (RFC 3986 section 6.2). Pure. */
final class RequestPath {
    private RequestPath() {}

    /** The path as it came, without scheme and authority; null if there is none that starts with a slash. */
    static @Nullable String raw(HttpServerExchange http) {
        String uri = http.getRequestURI();
        if (http.isHostIncludedInRequestURI()) {
            int scheme = uri.indexOf("//");
            int slash = scheme < 0 ? -1 : uri.indexOf('/', scheme + 2);
            return slash < 0 ? "/" : uri.substring(slash);
        }
        return uri.startsWith("/")
                        || (uri.equals("*") && http.getRequestMethod().equalToString("OPTIONS"))
                ? uri
                : null;
    }

    /**
     * The path that routes are chosen by: unreserved characters decoded, dot segments removed, empty segments merged.
     *
     * @return null if upstreams could read the path in different ways
     */
    static @Nullable String normalized(String raw) {
        if (isPlain(raw)) {
            return raw;
        }
        String decoded = decoded(raw);
        if (decoded == null) {
            return null;
        }
        Deque<String> segments = new ArrayDeque<>();
        String[] parts = decoded.split("/", -1);
        for (int i = 1; i < parts.length; i++) {
            String part = parts[i];
            boolean last = i == parts.length - 1;
            String bare = part.indexOf(';') < 0 ? part : part.substring(0, part.indexOf(';'));
            boolean dots = bare.equals(".") || bare.equals("..");
            if ((dots && !bare.equals(part)) || hidesDots(part)) {
                return null;
            }
            if (bare.equals("..")) {
                if (segments.pollLast() == null) {
                    return null;
                }
            } else if (!dots && !part.isEmpty()) {
                segments.addLast(part);
            }
            if (last && (part.isEmpty() || dots)) {
                segments.addLast("");
            }
        }
        return "/" + String.join("/", segments);
    }

    /** Whether an encoded slash makes dot segments for an upstream that decodes it. */
    private static boolean hidesDots(String part) {
        if (part.indexOf('%') < 0) {
            return false;
        }
        for (String hidden : part.split("%2[Ff]", -1)) {
            if ((hidden.equals(".") || hidden.equals("..")) && !hidden.equals(part)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isPlain(String raw) {
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            boolean dotOrSlash = (c == '.' || c == '/') && i > 0 && raw.charAt(i - 1) == '/';
            if (c == '%' || c == ';' || c == '#' || c == '\\' || c >= 0x7f || c < ' ' || dotOrSlash) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable String decoded(String raw) {
        StringBuilder out = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '\\' || c == '#' || c >= 0x7f || c < ' ') {
                return null;
            }
            if (c != '%') {
                out.append(c);
                continue;
            }
            int high = i + 2 < raw.length() ? hex(raw.charAt(i + 1)) : -1;
            int low = high < 0 ? -1 : hex(raw.charAt(i + 2));
            if (low < 0) {
                return null;
            }
            int code = high << 4 | low;
            if (code == 0 || code == '\\') {
                return null;
            }
            if (isUnreserved(code)) {
                out.append((char) code);
            } else {
                out.append(raw, i, i + 3);
            }
            i += 2;
        }
        return out.toString();
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
