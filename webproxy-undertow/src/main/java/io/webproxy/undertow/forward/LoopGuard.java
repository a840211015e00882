package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.FieldRules;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Detects forwarding loops by a header field that lists the servers a request has passed: each appends its id, also to
 * a list from an untrusted client, as {@code CDN-Loop} (RFC 8586) does. A request that has passed one server too often
 * is in a loop. Pure.
 *
 * <p>It may seem that {@code Via} (RFC 9110 section 7.6.3) is made for this, but servers such as nginx don't compress
 * responses to requests that have it.
 */
final class LoopGuard {
    /** The field: {@code Gateway-Loop: 0123456789abcdef, fedcba9876543210}. */
    static final HttpString FIELD = new HttpString("Gateway-Loop");

    /** How often a request may return to a server. */
    static final int MOST_RETURNS = 8;

    /** More servers than any path without a loop has; bounds the field. */
    static final int MOST_SERVERS = 100;

    /** The form of {@code Exchanges.serverId()}. */
    private static final Pattern ID = Pattern.compile("[0-9a-f]{16}");

    private LoopGuard() {}

    /** Whether a request has returned to this server too often, or has passed too many servers. */
    static boolean isLoop(HeaderMap in, String ownId) {
        if (!in.contains(FIELD)) {
            return false;
        }
        List<String> ids = ids(in);
        return ids.size() >= MOST_SERVERS || ids.stream().filter(ownId::equals).count() > MOST_RETURNS;
    }

    /** The field's value for the upstream: the valid ids received, and this server's. */
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
