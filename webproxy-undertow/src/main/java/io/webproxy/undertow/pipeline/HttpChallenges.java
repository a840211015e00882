package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import io.webproxy.undertow.message.MethodNames;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** Answers ACME challenges of type {@code http-01} (RFC 8555 section 8.3). Thread-safe. */
public final class HttpChallenges implements Stage {
    private static final String PREFIX = "/.well-known/acme-challenge/";
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]+");

    private final Map<String, byte[]> byToken = new ConcurrentHashMap<>();

    /**
     * Starts to answer a token with a key authorization.
     *
     * @return stops it; idempotent
     * @throws IllegalArgumentException if the token isn't base64url
     */
    public Runnable add(String token, String keyAuthorization) {
        if (!TOKEN.matcher(token).matches()) {
            throw new IllegalArgumentException("token: not base64url (expected: letters, digits, - and _)");
        }
        byte[] answer = keyAuthorization.getBytes(StandardCharsets.US_ASCII);
        byToken.put(token, answer);
        // by identity: it must not remove an answer that has replaced this one
        return () -> byToken.remove(token, answer);
    }

    /** Answers a request for a known token. */
    @Override
    public boolean pass(Passage passage) {
        String path = passage.path();
        if (byToken.isEmpty() || !path.startsWith(PREFIX)) {
            return true;
        }
        Exchange exchange = passage.exchange();
        HttpServerExchange http = exchange.http();
        HttpString method = http.getRequestMethod();
        byte[] answer = byToken.get(path.substring(PREFIX.length()));
        if (answer == null || !(MethodNames.is(method, "GET") || MethodNames.isHead(method))) {
            return true;
        }
        LocalAnswer.content(exchange, "application/octet-stream", answer);
        return false;
    }
}
