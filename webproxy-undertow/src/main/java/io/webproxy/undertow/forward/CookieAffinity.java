package io.webproxy.undertow.forward;

import io.webproxy.route.Balancing;
import io.webproxy.route.Upstream;
import io.webproxy.spi.SessionAffinity;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.Cookies;
import io.webproxy.undertow.upstream.ParsedHead;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keeps a session on the upstream that its cookie names; the proxy sets the cookie itself. Immutable. */
final class CookieAffinity implements Affinity {
    private static final int TOKEN_BYTES = 8;

    private final String name;
    private final Balancing others;
    private final Map<Upstream, String> tokens = new HashMap<>();

    CookieAffinity(SessionAffinity affinity, List<Upstream> upstreams) {
        this.name = affinity.name();
        this.others = affinity.others();
        upstreams.forEach(upstream -> tokens.put(upstream, token(upstream)));
    }

    /** The cookie's value for an upstream, the same in every JVM; doesn't contain the address. */
    private static String token(Upstream upstream) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(upstream.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, TOKEN_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public int choose(Choice choice) {
        for (String token : Cookies.values(choice.request().headers("cookie"), name)) {
            for (int i = 0; i < choice.count(); i++) {
                if (token.equals(tokens.get(choice.upstream(i)))) {
                    return i;
                }
            }
        }
        return others.choose(choice);
    }

    /** The first value of the client's that stands for an upstream, which the next request would go to; or null. */
    private @Nullable String sent(Exchange exchange) {
        for (String value : Cookies.values(exchange.head().headers("cookie"), name)) {
            if (tokens.containsValue(value)) {
                return value;
            }
        }
        return null;
    }

    @Override
    public String cookie() {
        return name;
    }

    @Override
    public SessionCookie responded(Exchange exchange, ParsedHead answer, @Nullable Upstream by) {
        String token = by == null ? null : tokens.get(by);
        boolean known = token == null || token.equals(sent(exchange));
        return new SessionCookie(
                name, known ? null : token, exchange.head().scheme().equals("https"));
    }
}
