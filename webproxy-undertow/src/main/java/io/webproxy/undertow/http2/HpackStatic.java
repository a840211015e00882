package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;

/** The static table (RFC 7541 appendix A); indexes start at 1. */
final class HpackStatic {
    static final int LAST = 61;

    private static final String[] ENTRIES = {
        ":authority", "",
        ":method", "GET",
        ":method", "POST",
        ":path", "/",
        ":path", "/index.html",
        ":scheme", "http",
        ":scheme", "https",
        ":status", "200",
        ":status", "204",
        ":status", "206",
        ":status", "304",
        ":status", "400",
        ":status", "404",
        ":status", "500",
        "accept-charset", "",
        "accept-encoding", "gzip, deflate",
        "accept-language", "",
        "accept-ranges", "",
        "accept", "",
        "access-control-allow-origin", "",
        "age", "",
        "allow", "",
        "authorization", "",
        "cache-control", "",
        "content-disposition", "",
        "content-encoding", "",
        "content-language", "",
        "content-length", "",
        "content-location", "",
        "content-range", "",
        "content-type", "",
        "cookie", "",
        "date", "",
        "etag", "",
        "expect", "",
        "expires", "",
        "from", "",
        "host", "",
        "if-match", "",
        "if-modified-since", "",
        "if-none-match", "",
        "if-range", "",
        "if-unmodified-since", "",
        "last-modified", "",
        "link", "",
        "location", "",
        "max-forwards", "",
        "proxy-authenticate", "",
        "proxy-authorization", "",
        "range", "",
        "referer", "",
        "refresh", "",
        "retry-after", "",
        "server", "",
        "set-cookie", "",
        "strict-transport-security", "",
        "transfer-encoding", "",
        "user-agent", "",
        "vary", "",
        "via", "",
        "www-authenticate", "",
    };

    private static final HttpString[] NAMES = new HttpString[LAST + 1];
    private static final String[] VALUES = new String[LAST + 1];

    static {
        for (int i = 1; i <= LAST; i++) {
            String name = ENTRIES[2 * i - 2];
            NAMES[i] = i > 1 && name.equals(ENTRIES[2 * i - 4]) ? NAMES[i - 1] : new HttpString(name);
            VALUES[i] = ENTRIES[2 * i - 1];
        }
    }

    private HpackStatic() {}

    static HttpString name(int index) {
        return NAMES[index];
    }

    static String value(int index) {
        return VALUES[index];
    }

    /** The index of a field with this value, 0 if it isn't in the table. */
    @SuppressWarnings("ReferenceEquality") // names of the table are the table's own
    static int find(HpackName name, String value) {
        for (int i = name.index; i > 0 && i <= LAST && NAMES[i] == name.name; i++) {
            if (VALUES[i].equals(value)) {
                return i;
            }
        }
        return 0;
    }
}
