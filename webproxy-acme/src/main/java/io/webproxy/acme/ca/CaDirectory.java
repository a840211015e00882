package io.webproxy.acme.ca;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.shredzone.acme4j.Metadata;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.toolbox.JSON;

/**
 * A CA's directory (RFC 8555 section 7.1.1).
 *
 * @param clock the CA's current time; empty if unknown
 * @param profiles certificate profiles that it offers; empty if there is only one
 * @param caaIdentities domains that name it in CAA records, in lower case
 * @param externalAccountRequired whether accounts must be bound to an external account
 */
public record CaDirectory(
        Optional<Instant> clock, Set<String> profiles, List<String> caaIdentities, boolean externalAccountRequired) {
    private static final int MOST_BYTES = 256 * 1024;

    /**
     * Fetches the directory: one GET, which counts against no rate limit.
     *
     * @throws AcmeFailure if it can't be reached, or isn't an ACME server
     */
    public static CaDirectory ask(CaSettings settings) throws AcmeFailure, InterruptedException {
        HttpClient client = CaHttp.client(settings);
        CaFailures failures = new CaFailures(settings);
        HttpResponse<byte[]> answer;
        try {
            answer = get(client, settings);
        } catch (IOException e) {
            throw failures.of(e, new CaProvider(client, Clock.systemUTC()));
        }
        if (answer.statusCode() != HttpURLConnection.HTTP_OK) {
            throw failures.plain(" answers " + settings.directory() + " with HTTP " + answer.statusCode()
                    + " (expected: an ACME directory)");
        }
        try {
            return read(
                    new String(answer.body(), StandardCharsets.UTF_8),
                    answer.headers().firstValue("Date").flatMap(CaDirectory::instant));
        } catch (AcmeProtocolException | IllegalArgumentException e) {
            throw failures.plain(" has something else at " + settings.directory() + " (expected: an ACME directory)");
        }
    }

    private static HttpResponse<byte[]> get(HttpClient client, CaSettings settings)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(settings.directory())
                .timeout(settings.timeout())
                .header("Accept", "application/json")
                .build();
        CompletableFuture<HttpResponse<byte[]>> answer = client.sendAsync(request, head -> new BoundedBody(MOST_BYTES));
        try {
            // The request's own timeout ends with the head.
            return answer.get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("no whole answer");
        } finally {
            answer.cancel(true);
        }
    }

    private static Optional<Instant> instant(String date) {
        try {
            return Optional.of(ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    static CaDirectory read(String json, Optional<Instant> clock) {
        JSON directory = JSON.parse(json);
        if (!directory.contains("newOrder")) {
            throw new IllegalArgumentException("no newOrder");
        }
        Metadata metadata =
                new Metadata(directory.get("meta").map(JSON.Value::asObject).orElseGet(JSON::empty));
        return new CaDirectory(
                clock,
                Set.copyOf(metadata.getProfiles()),
                metadata.getCaaIdentities().stream()
                        .map(identity -> identity.toLowerCase(Locale.ROOT))
                        .toList(),
                metadata.isExternalAccountRequired());
    }
}
