package io.webproxy.acme.ca;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URL;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.DefaultConnection;
import org.shredzone.acme4j.connector.HttpConnector;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeNetworkException;
import org.shredzone.acme4j.exception.AcmeServerException;
import org.shredzone.acme4j.toolbox.JSONBuilder;

/**
 * Sends requests to a CA with a total time limit, whatever the CA sends: acme4j's own limit ends when a response
 * begins.
 *
 * <p>Not thread-safe.
 */
final class CaConnection extends DefaultConnection {
    /** Larger than any directory, order or chain. */
    private static final int MOST_BYTES = 1 << 20;

    /** Rounds of ten requests: if nine of ten requests are rejected, one POST in 10^13 fails. */
    private static final int NONCE_ROUNDS = 30;

    private static final Duration NONCE_PAUSE = Duration.ofMillis(250);

    /** A longer Retry-After isn't believed. */
    private static final Duration LONGEST_RETRY_AFTER = Duration.ofDays(30);

    private final CaProvider provider;

    CaConnection(CaProvider provider, HttpConnector connector) {
        super(connector);
        this.provider = provider;
    }

    @Override
    protected void sendRequest(Session session, URL url, Consumer<HttpRequest.Builder> body) throws IOException {
        HttpRequest.Builder request = httpConnector
                .createRequestBuilder(url)
                .header("Accept-Charset", "utf-8")
                .header("Accept-Language", session.getLanguageHeader());
        body.accept(request);
        provider.answered(0, null);
        CompletableFuture<HttpResponse<InputStream>> response = httpClient.sendAsync(
                request.build(),
                head -> BodySubscribers.mapping(new BoundedBody(MOST_BYTES), ByteArrayInputStream::new));
        try {
            lastResponse = response.get(session.networkSettings().getTimeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("request timed out");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        } finally {
            response.cancel(true);
        }
        provider.answered(lastResponse.statusCode(), getRetryAfter().orElse(null));
    }

    private static InterruptedIOException interrupted(InterruptedException e) {
        InterruptedIOException io = new InterruptedIOException("interrupted");
        io.initCause(e);
        return io;
    }

    /** Continues where acme4j gives up: after ten badNonce errors (RFC 8555 section 6.5). */
    @Override
    protected int sendSignedRequest(
            URL url, @Nullable JSONBuilder claims, Session session, KeyPair key, @Nullable URL account, String accept)
            throws AcmeException {
        for (int round = 1; ; round++) {
            try {
                return super.sendSignedRequest(url, claims, session, key, account, accept);
            } catch (AcmeServerException e) {
                if (round == NONCE_ROUNDS || !e.getType().toString().endsWith(":badNonce")) {
                    throw e;
                }
            }
            close();
            try {
                TimeUnit.MILLISECONDS.sleep(NONCE_PAUSE.toMillis());
            } catch (InterruptedException e) {
                throw new AcmeNetworkException(interrupted(e));
            }
        }
    }

    /** Relative to this server's clock: the CA's may be days off. An unreadable value counts as none. */
    @Override
    public Optional<Instant> getRetryAfter() {
        Instant now = provider.now();
        return header("Retry-After").flatMap(text -> {
            try {
                Duration wait = text.chars().allMatch(c -> c >= '0' && c <= '9')
                        ? Duration.ofSeconds(Long.parseLong(text))
                        : Duration.between(
                                header("Date").map(CaConnection::date).orElse(now), date(text));
                return Optional.of(now.plus(wait.compareTo(LONGEST_RETRY_AFTER) > 0 ? LONGEST_RETRY_AFTER : wait));
            } catch (NumberFormatException | DateTimeParseException e) {
                return Optional.empty();
            }
        });
    }

    private static Instant date(String text) {
        return ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
    }

    private Optional<String> header(String name) {
        return lastResponse == null ? Optional.empty() : lastResponse.headers().firstValue(name);
    }
}
