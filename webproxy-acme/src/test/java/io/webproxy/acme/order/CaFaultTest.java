package io.webproxy.acme.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.testing.HeapStore;
import io.webproxy.acme.testing.NoResponder;
import io.webproxy.acme.testing.TestCertificates;
import io.webproxy.observe.CertificateEvent.Problem;
import io.webproxy.testing.LeakCheck;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** A CA that isn't well is one sentence. */
@ExtendWith(LeakCheck.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // Each HTTP client takes three seconds to notice that nobody needs it.
class CaFaultTest {
    private static final Instant NOW = Instant.parse("2027-03-01T12:00:00Z");

    private CountDownLatch end;
    private HttpServer ca;
    private ExecutorService executor;

    @BeforeEach
    void start() throws IOException {
        end = new CountDownLatch(1);
        executor = Executors.newCachedThreadPool();
        ca = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        ca.setExecutor(executor);
        ca.start();
    }

    @AfterEach
    void stop() {
        end.countDown();
        ca.stop(0);
        executor.shutdownNow();
    }

    private void answer(int status, String type, String body, String... fields) {
        ca.createContext("/", exchange -> {
            for (int i = 0; i < fields.length; i += 2) {
                exchange.getResponseHeaders().set(fields[i], fields[i + 1]);
            }
            exchange.getResponseHeaders().set("Content-Type", type);
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
    }

    private AcmeIssuer issuer(Duration timeout) {
        CaSettings settings = new CaSettings(
                URI.create("http://127.0.0.1:" + ca.getAddress().getPort() + "/dir"),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                timeout);
        return new AcmeIssuer(settings, new HeapStore(), new NoResponder(), Clock.fixed(NOW, ZoneOffset.UTC));
    }

    private AcmeFailure failure() {
        return failure(Duration.ofSeconds(10));
    }

    private AcmeFailure failure(Duration timeout) {
        return catchThrowableOfType(
                AcmeFailure.class, () -> issuer(timeout).obtain(new Wanted(List.of("one.example.com"), "EC"), null));
    }

    @Test
    void nobodyListens() {
        ca.stop(0);
        assertThat(failure()).hasMessageStartingWith("CA 127.0.0.1 can't be reached: ");
    }

    @Test
    void noAnswer() {
        ca.createContext("/", exchange -> hang());
        assertThat(failure(Duration.ofMillis(300))).hasMessage("CA 127.0.0.1 has not answered within 300 ms");
    }

    @Test
    void halfAnAnswer() {
        ca.createContext("/", this::halfAnAnswer);
        assertThat(failure(Duration.ofMillis(300))).hasMessage("CA 127.0.0.1 has not answered within 300 ms");
    }

    private void halfAnAnswer(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, 100);
        exchange.getResponseBody().write('{');
        exchange.getResponseBody().flush();
        hang();
    }

    private void hang() {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void attemptCanBeInterrupted() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        ca.createContext("/", exchange -> {
            asked.countDown();
            hang();
        });
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread thread = new Thread(() -> thrown.set(catchThrowable(
                () -> issuer(Duration.ofMinutes(1)).obtain(new Wanted(List.of("one.example.com"), "EC"), null))));
        thread.start();
        asked.await();
        thread.interrupt();
        thread.join();
        assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    }

    /** RFC 9773 section 4.1: it is named by its issuer's key. */
    @Test
    void certificateThatSaysNoAuthorityKeyIsNotAskedFor() throws Exception {
        String url = "http://127.0.0.1:" + ca.getAddress().getPort() + "/";
        answer(200, "application/json", "{\"newNonce\": \"" + url + "\", \"renewalInfo\": \"" + url + "\"}");
        X509Certificate foreign = TestCertificates.issue(NOW, Duration.ofDays(1), "one.example.com")
                .leaf();
        assertThat(issuer(Duration.ofSeconds(10)).renewalWindow(foreign)).isEmpty();
    }

    @Test
    void malformedJson() {
        answer(200, "application/json", "{\"newNonce\": ");
        assertThat(failure()).hasMessageStartingWith("CA 127.0.0.1 has sent what can't be understood: ");
    }

    @Test
    void noJsonAtAll() {
        answer(200, "text/html", "<h1>It works!</h1>");
        assertThat(failure())
                .hasMessage("CA 127.0.0.1 has sent what can't be understood: Unexpected content type: text/html");
    }

    @Test
    void answerWithoutEnd() {
        answer(200, "application/json", "[" + " ".repeat(2 << 20));
        assertThat(failure()).hasMessageContaining("answer of more than 1048576 bytes");
    }

    @Test
    void serverError() {
        answer(500, "text/html", "<h1>Oops</h1>", "Retry-After", "30");
        AcmeFailure failure = failure();
        assertThat(failure).hasMessage("CA 127.0.0.1 has failed with HTTP 500");
        assertThat(failure.retryAfter()).contains(NOW.plusSeconds(30));
    }

    @Test
    void tooManyRequests() {
        answer(429, "text/plain", "", "Retry-After", "3600");
        AcmeFailure failure = failure();
        assertThat(failure).hasMessage("CA 127.0.0.1 has had too many requests (HTTP 429)");
        assertThat(failure.retryAfter()).contains(NOW.plusSeconds(3600));
    }

    @Test
    void retryAfterIsADateByTheClockOfTheCa() {
        answer(
                429,
                "text/plain",
                "",
                "Date",
                "Thu, 01 Jan 2026 00:00:00 GMT",
                "Retry-After",
                "Thu, 01 Jan 2026 00:10:00 GMT");
        // The JDK's server sends the real Date: what counts is the distance from that, which lies in the past.
        assertThat(failure().retryAfter().orElseThrow()).isBefore(NOW);
    }

    @Test
    void retryAfterThatCantBeReadSaysNothing() {
        answer(503, "text/plain", "", "Retry-After", "soon");
        assertThat(failure().retryAfter()).isEmpty();
    }

    @Test
    void refusalWithAReasonForEachName() {
        answer(403, "application/problem+json", """
            {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too\\nmany", "subproblems": [
              {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids it",
               "identifier": {"type": "dns", "value": "one.example.com"}}]}
            """, "Retry-After", "60");
        AcmeFailure failure = failure();
        assertThat(failure)
                .hasMessage("CA 127.0.0.1 refuses: too many (CAA forbids it) (urn:ietf:params:acme:error:rateLimited)");
        assertThat(failure.problems())
                .containsExactly(
                        Problem.of("", "urn:ietf:params:acme:error:rateLimited", "too\nmany"),
                        Problem.of("one.example.com", "urn:ietf:params:acme:error:caa", "CAA forbids it"));
        assertThat(failure.retryAfter()).contains(NOW.plusSeconds(60));
    }

    @Test
    void brokenProblemDocument() {
        answer(400, "application/problem+json", "{\"type\": 7}");
        assertThat(failure()).hasMessageStartingWith("CA 127.0.0.1 ");
    }
}
