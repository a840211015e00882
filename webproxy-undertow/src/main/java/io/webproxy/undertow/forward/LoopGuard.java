package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.FieldRules;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The servers that a request has come through, in a field of ours: each adds its own id to those that it was told,
 * whoever told them, as {@code CDN-Loop} does it (RFC 8586) for servers of one operator. A request that has come
 * through one of them too often is in a loop. Pure.
 *
 * <p>It may seem that {@code Via} (RFC 9110 section 7.6.3) is made for this, but servers such as nginx compress no
 * answer to a request that has it.
 */
final class LoopGuard {
    /** The field: {@code Gateway-Loop: 0123456789abcdef, fedcba9876543210}. */
    static final HttpString FIELD = new HttpString("Gateway-Loop");

    /** A request may come back to a server so often. */
    static final int MOST_RETURNS = 8;

    /** So many servers are more than any path that isn't a loop; it bounds the field. */
    static final int MOST_SERVERS = 100;

    /** As {@code Exchanges.serverId()} gives it. */
    private static final Pattern ID = Pattern.compile("[0-9a-f]{16}");

    private LoopGuard() {}

    /** Whether a request has come to this server more often than it may, or through more servers than any path has. */
    static boolean isLoop(HeaderMap in, String ownId) {
        if (!in.contains(FIELD)) {
            return false;
        }
        List<String> ids = ids(in);
        return ids.size() >= MOST_SERVERS || ids.stream().filter(ownId::equals).count() > MOST_RETURNS;
    }

    /** What goes on to the upstream: the ids that came, without what is none, and this server's. */
    static String extended(HeaderMap in, String ownId) {
        if (!in.contains(FIELD)) {
            return ownId;
        }
        List<String> ids = ids(in);
        return ids.isEmpty() ? ownId : String.join(", ", ids) + ", " + ownId;
    }

    private static List<String> ids(HeaderMap in) {
        HeaderValues values = in.get(FIELD);
        return values == null
                ? List.of()
                : FieldRules.tokens(values).stream()
                        .filter(id -> ID.matcher(id).matches())
                        .toList();
    }
}
