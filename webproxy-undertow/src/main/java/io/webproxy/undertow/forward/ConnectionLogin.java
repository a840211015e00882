package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.OwnedConnections;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.UpstreamConnection;
import io.webproxy.undertow.upstream.UpstreamPool;
import io.webproxy.undertow.upstream.UpstreamStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Authentication of connections instead of requests, by NTLM or Negotiate (RFC 4559): reserves an upstream connection
 * for the client that begins to log in on it.
 *
 * <p>Such an upstream attributes all later requests on the connection to the same user. So the connection then serves
 * only one client connection, or only one exchange if several clients may share that, as behind a trusted proxy. HTTP/2
 * can't carry such a login: its requests don't stay on one upstream connection.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class ConnectionLogin {
    /** NTLM, Negotiate with variants such as Nego2, and Kerberos, by prefix, as HAProxy reads them. */
    private static final List<String> SCHEMES = List.of("ntlm", "nego", "kerberos");

    private final Exchange exchange;

    ConnectionLogin(Exchange exchange) {
        this.exchange = exchange;
    }

    /** Whether a value of {@code Authorization} authenticates the connection. */
    static boolean isLogin(@Nullable HeaderValues credentials) {
        if (credentials != null) {
            for (int i = 0; i < credentials.size(); i++) {
                if (startsWithScheme(credentials.get(i), 0)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether a list of challenges (RFC 9110 section 11.6.1) contains one that authenticates the connection. */
    static boolean isChallenge(@Nullable HeaderValues challenges) {
        if (challenges != null) {
            for (int i = 0; i < challenges.size(); i++) {
                if (hasScheme(challenges.get(i))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Any element of the list may begin with a scheme; quoted text can't. */
    private static boolean hasScheme(String list) {
        boolean start = true;
        boolean quoted = false;
        for (int i = 0; i < list.length(); i++) {
            char c = list.charAt(i);
            if (quoted) {
                if (c == '\\') {
                    i++;
                } else if (c == '"') {
                    quoted = false;
                }
            } else if (c == '"') {
                quoted = true;
                start = false;
            } else if (c == ',') {
                start = true;
            } else if (start && c != ' ' && c != '\t') {
                if (startsWithScheme(list, i)) {
                    return true;
                }
                start = false;
            }
        }
        return false;
    }

    private static boolean startsWithScheme(String value, int from) {
        int at = from;
        while (at < value.length() && (value.charAt(at) == ' ' || value.charAt(at) == '\t')) {
            at++;
        }
        for (String scheme : SCHEMES) {
            if (value.regionMatches(true, at, scheme, 0, scheme.length())) {
                return true;
            }
        }
        return false;
    }

    /** Whether the request carries connection credentials that are for the upstream. */
    boolean isOne() {
        HeaderMap fields = exchange.http().getRequestHeaders();
        return !exchange.plan().kept().contains(Headers.AUTHORIZATION) && isLogin(fields.get(Headers.AUTHORIZATION));
    }

    /**
     * Whether the request must be repeated over HTTP/1.1: it carries connection credentials that are for the upstream.
     */
    boolean isMisplaced() {
        return exchange.client().isMultiplexed() && isOne();
    }

    /** The pools whose upstreams the client has logged in to, the newest first. */
    List<UpstreamPool> pools() {
        OwnedConnections owned = OwnedConnections.known(exchange.http().getConnection());
        return owned == null ? List.of() : owned.pools(exchange.route());
    }

    /** The client's own connections to an upstream, or null if there are none. */
    @Nullable UpstreamConnection take(UpstreamPool pool, boolean probe) {
        OwnedConnections owned = OwnedConnections.known(exchange.http().getConnection());
        return owned == null ? null : owned.take(exchange.route(), pool, probe);
    }

    /** The request is sent with connection credentials. */
    void begins(UpstreamStream connection) {
        boolean shared = exchange.client().isMultiplexed() || exchange.peer().trusted();
        connection.belongTo(shared ? null : OwnedConnections.of(exchange.http().getConnection()), exchange.route());
    }

    /**
     * The upstream has responded.
     *
     * @return whether the client must repeat the request over HTTP/1.1
     */
    boolean isRefused(UpstreamStream connection, ParsedHead answer) {
        if (!isChallenge(answer.fields().get(Headers.WWW_AUTHENTICATE))) {
            return false;
        }
        begins(connection);
        return answer.status() == 401 && exchange.client().isMultiplexed();
    }
}
