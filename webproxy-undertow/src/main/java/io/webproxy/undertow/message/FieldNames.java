package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which request fields are forwarded although a server could confuse their names with others: CGI environments
 * keep only letters, digits and one more character (RFC 3875 section 4.1.18), so {@code X_Real_IP} and
 * {@code X.Real.IP} become the same as {@code X-Real-IP}. Names of letters, digits and hyphens are unambiguous. Not
 * thread-safe.
 */
public final class FieldNames {
    /** Fields that frame or route a message, or identify the client; folded. */
    private static final Set<String> PROTECTED = Set.of(
            "authorization",
            "connection",
            "cookie",
            "expect",
            "forwarded",
            "gateway-loop",
            "host",
            "http2-settings",
            "keep-alive",
            "remote-user",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "x-real-ip",
            "x-request-id");

    private static final List<String> PROTECTED_STARTS =
            List.of("client-cert", "content-", "proxy-", "x-forwarded-", "x-original-", "x-rewrite-");

    private final HeaderMap head;
    private final String identity;
    private final boolean pass;
    /** Keyed by folded name. */
    private final Map<String, HttpString> reserved;

    private final boolean unusualReserved;
    private @Nullable Map<String, Integer> counts;

    /**
     * The names of one request.
     *
     * @param identity the name of the field for client certificates
     * @param reserved names that the route matches, sets or removes
     * @param pass whether names with characters other than letters, digits and hyphens pass at all
     */
    public FieldNames(HeaderMap head, String identity, Set<String> reserved, boolean pass) {
        this.head = head;
        this.identity = identity;
        this.pass = pass;
        this.reserved = reserved.isEmpty() ? Map.of() : new HashMap<>();
        boolean unusual = false;
        for (String each : reserved) {
            HttpString name = new HttpString(each);
            this.reserved.put(folded(name), name);
            unusual |= !isUsual(name);
        }
        this.unusualReserved = unusual;
    }

    /** Whether a name consists of letters, digits and hyphens. */
    static boolean isUsual(HttpString name) {
        for (int i = 0; i < name.length(); i++) {
            if (FieldNames.folded(name.byteAt(i)) == '-' && name.byteAt(i) != '-') {
                return false;
            }
        }
        return true;
    }

    /** A letter in lower case, a digit, or a hyphen for anything else. */
    public static char folded(byte b) {
        int lower = b | 0x20;
        return (lower >= 'a' && lower <= 'z' && (b & 0x80) == 0) || (b >= '0' && b <= '9') ? (char) lower : '-';
    }

    /** The form in which servers may confuse names; runs of punctuation become one hyphen, and none at the ends. */
    static String folded(HttpString name) {
        StringBuilder folded = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = folded(name.byteAt(i));
            if (c != '-' || (folded.length() > 0 && folded.charAt(folded.length() - 1) != '-')) {
                folded.append(c);
            }
        }
        int length = folded.length();
        if (length > 0 && folded.charAt(length - 1) == '-') {
            folded.setLength(length - 1);
        }
        return folded.toString();
    }

    /** Whether servers may confuse two names: their folded forms are the same. */
    public static boolean isAlike(HttpString one, HttpString other) {
        int i = skip(one, 0);
        int j = skip(other, 0);
        while (i < one.length() && j < other.length()) {
            char c = folded(one.byteAt(i));
            if (c != folded(other.byteAt(j))) {
                return false;
            }
            i = c == '-' ? skip(one, i) : i + 1;
            j = c == '-' ? skip(other, j) : j + 1;
        }
        return skip(one, i) == one.length() && skip(other, j) == other.length();
    }

    /** The first letter or digit from there on, or the end. */
    private static int skip(HttpString name, int from) {
        int i = from;
        while (i < name.length() && folded(name.byteAt(i)) == '-') {
            i++;
        }
        return i;
    }

    static boolean isProtected(String folded) {
        return PROTECTED.contains(folded) || PROTECTED_STARTS.stream().anyMatch(folded::startsWith);
    }

    /** Whether a field of the head is forwarded. */
    public boolean passes(HttpString name) {
        return isUsual(name) ? isNoOthers(name) : pass && passes(name, 1, 0);
    }

    /**
     * The trailers that are forwarded, see {@link FieldRules#allowedTrailers}; fields of the head count as other names.
     */
    public HeaderMap trailers(HeaderMap trailers) {
        Map<String, Integer> own = counted(trailers);
        return FieldRules.allowedTrailers(
                trailers,
                name -> isUsual(name)
                        ? isNoOthers(name)
                        : pass && passes(name, head.contains(name) ? 1 : 0, own.getOrDefault(folded(name), 0) - 1));
    }

    /** Whether a usual name can't be confused with an unusual one that the proxy sets or removes. */
    private boolean isNoOthers(HttpString name) {
        if (!unusualReserved) {
            return true;
        }
        HttpString known = reserved.get(folded(name));
        return known == null || known.equals(name);
    }

    private boolean passes(HttpString name, int itselfInHead, int others) {
        String folded = folded(name);
        HttpString known = reserved.get(folded);
        if (isProtected(folded)
                || folded.equals(folded(new HttpString(identity)))
                || (known != null && !known.equals(name))) {
            return false;
        }
        if (counts == null) {
            counts = counted(head);
        }
        return others + counts.getOrDefault(folded, 0) <= itselfInHead;
    }

    private static Map<String, Integer> counted(HeaderMap fields) {
        Map<String, Integer> counts = new HashMap<>();
        for (HeaderValues values : fields) {
            counts.merge(folded(values.getHeaderName()), 1, Integer::sum);
        }
        return counts;
    }
}
