package io.webproxy.undertow.exchange;

import io.webproxy.spi.PathPrefix;
import io.webproxy.spi.Rewrite;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Builds the path for the upstream from the request's path and the route's changes. Pure. */
public final class UpstreamPath {
    private static final Pattern LEGAL = Pattern.compile("/[!-~&&[^#?\\\\]]*");
    private static final String ASTERISK = "*";

    private UpstreamPath() {}

    /**
     * Applies a route's changes to a path.
     *
     * @param raw the raw path; without changes it is returned byte for byte
     * @param normalized the same as {@link RequestPath#normalized} gives it, which the prefix matches
     * @return null if the result isn't a path, or leads above the root
     */
    public static @Nullable String of(String raw, String normalized, PathPrefix prefix, Rewrite rewrite) {
        String replaced = rewrite.prefix().orElse(null);
        // OPTIONS * asks about the server as a whole (RFC 9112 section 3.2.4)
        String path =
                replaced == null || raw.equals(ASTERISK) ? raw : replaced + rest(raw, normalized, prefix, replaced);
        Pattern pattern = rewrite.pattern().orElse(null);
        if (pattern == null) {
            return path;
        }
        String rewritten;
        try {
            rewritten = pattern.matcher(path).replaceAll(rewrite.replacement());
        } catch (StackOverflowError e) {
            // a regular expression with nested repetitions, and a path that is too long for it
            return null;
        }
        return rewritten.equals(path) || isLegal(rewritten) ? rewritten : null;
    }

    private static boolean isLegal(String path) {
        return LEGAL.matcher(path).matches() && RequestPath.normalized(path) != null;
    }

    private static String rest(String raw, String normalized, PathPrefix prefix, String replaced) {
        String rest = normalized.length() == prefix.length() && !replaced.isEmpty() && !endsWithSlash(prefix)
                ? ""
                : prefix.strip(normalized);
        if (raw.equals(normalized)) {
            return rest;
        }
        int cut = cut(raw, segments(prefix));
        String asItCame = cut < 0 ? "" : raw.substring(cut);
        // every reading of the path must stay below the prefix it is appended to; for the readings see isReadAlike
        return rest.equals(RequestPath.normalized(asItCame)) && RequestPath.isReadAlike(asItCame, rest, other -> true)
                ? asItCame
                : rest;
    }

    private static boolean endsWithSlash(PathPrefix prefix) {
        return prefix.toString().endsWith("/");
    }

    private static int segments(PathPrefix prefix) {
        String text = prefix.toString();
        int slashes = (int) text.chars().filter(c -> c == '/').count();
        return endsWithSlash(prefix) ? slashes - 1 : slashes;
    }

    /**
     * Where the first {@code depth} segments of the normalised path end in the raw path: after the last dot segment
     * that leads out of them.
     */
    private static int cut(String raw, int depth) {
        int cut = depth == 0 ? 0 : -1;
        int at = 0;
        int level = 0;
        while (at < raw.length()) {
            int end = raw.indexOf('/', at + 1);
            int next = end < 0 ? raw.length() : end;
            level += step(raw, at + 1, next);
            if (level < depth) {
                cut = -1;
            } else if (cut < 0) {
                cut = next;
            }
            at = next;
        }
        return cut;
    }

    /**
     * How many levels a segment goes down: 1, or 0 for an empty one and a dot, or -1 for two dots (RFC 3986 section
     * 5.2.4).
     */
    private static int step(String raw, int from, int to) {
        int dots = 0;
        int at = from;
        while (at < to) {
            if (raw.charAt(at) == '.') {
                at++;
            } else if (raw.regionMatches(true, at, "%2e", 0, 3)) {
                at += 3;
            } else {
                return 1;
            }
            dots++;
        }
        return dots > 2 ? 1 : dots == 2 ? -1 : 0;
    }
}
