package io.webproxy.samples;

import io.micrometer.core.instrument.MeterRegistry;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.Answer;
import io.webproxy.http.HttpLimits;
import io.webproxy.http.RequestHead;
import io.webproxy.http.StatusPage;
import io.webproxy.metrics.ProxyMetrics;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.route.Balancing;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.Certificates;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;

/**
 * The code in the top README and in those of webproxy-api and webproxy-acme, so that it is compiled; the code between
 * the markers is the same as there.
 */
final class ReadmeSnippets {
    private ReadmeSnippets() {}

    static final class Smallest {
        private Smallest() {}

        // readme: smallest
        public static void main(String[] args) throws InterruptedException {
            try (ProxyServer proxy = ProxyServer.builder()
                    .https(8443)
                    .forward("http://127.0.0.1:8080")
                    .closeOnShutdown(true) // Ctrl-C lets requests end
                    .start()) {
                System.out.println(proxy.uri()); // https://localhost:8443/
                proxy.awaitClose();
            }
        }
        // readme: end
    }

    static ProxyConfig.Builder more() {
        // readme: more
        ProxyConfig.Builder builder = ProxyServer.builder()
                .https(8443)
                .redirectHttp(8080)
                .certificates(Certificates.pem(Path.of("fullchain.pem"), Path.of("privkey.pem")))
                .forward("http://127.0.0.1:3000") // the default route
                .route(r -> r.path("/embedding-model/").stripPrefix().forward("http://127.0.0.1:30001"))
                .route(r -> r.host("*.chat.example.com").forward("http://127.0.0.1:11434", "http://127.0.0.1:11435"))
                .basicAuth("user", "secret")
                .timeouts(TimeoutPolicy.defaults().with(TimeoutClass.LONG, Duration.ofMinutes(20)))
                .tuning(t -> t.withHttp(HttpLimits.defaults().withRequestBodyBytes(1L << 30)))
                .trustedProxies("10.0.0.0/8")
                .accessLog(true);
        // readme: end
        return builder;
    }

    static ProxyConfig update(ProxyServer proxy) {
        // readme: update
        ProxyConfig now = proxy.update(
                c -> c.route(r -> r.name("chat").host("chat.example.com").forward("http://10.0.0.7:11434")));
        // readme: end
        return now;
    }

    static void updates(ProxyServer proxy) {
        // readme: updates
        // incremental: the builder holds what is in force
        proxy.update(c -> c.route(r -> r.name("chat").host("chat.example.com").forward("http://10.0.0.7:11434"))
                .withoutAuthentication());
        // declarative: the whole configuration, however it was made
        Route chat = Route.builder()
                .host("chat.example.com")
                .forward("http://10.0.0.7:11434")
                .build();
        proxy.update(proxy.config().toBuilder().routes(List.of(chat)).build());
        // readme: end
    }

    static ProxyConfig.Builder timeouts(ProxyConfig.Builder builder) {
        // readme: timeouts
        TimeoutPolicy patient = TimeoutPolicy.defaults()
                .with(TimeoutClass.LONG, Duration.ofMinutes(30))
                .withConnect(Duration.ofSeconds(2))
                .plusLongPaths("/v1/reasoning")
                .plusDownloadExtensions("npz");
        builder.route(r -> r.path("/v1/")
                .forward("http://127.0.0.1:8000")
                .timeouts(patient)
                .sseHeartbeat(Duration.ofSeconds(15)));
        // readme: end
        return builder;
    }

    static void tuning(ProxyConfig.Builder builder) {
        // readme: tuning
        builder.tuning(t -> t.withHttp(t.http().withRequestBodyBytes(1L << 30))
                .withPool(PoolLimits.defaults().withConnections(1000))
                .withIoThreads(4));
        // readme: end
    }

    static void routes(ProxyConfig.Builder builder) {
        // readme: routes
        builder.route(r -> r.host("api.example.com")
                .path("/v2/")
                .replacePrefix("/api/v2/")
                .setRequestHeader("X-Api", "2")
                .removeResponseHeader("Server")
                .hostHeaderOfUpstream()
                .basicAuth("partner", "secret")
                .allow("203.0.113.0/24", "2001:db8::/32")
                .forward("https://backend.example.com"));
        // readme: end
    }

    static void upstreams(ProxyConfig.Builder builder) {
        // readme: upstreams
        UpstreamGroup llm = UpstreamGroup.of("http://10.0.0.7:8000", "http://10.0.0.8:8000")
                .named("llm")
                .balancing(Balancing.leastConnections())
                .healthCheck(HealthCheck.path("/health").withInterval(Duration.ofSeconds(5)))
                .outlierEjection(OutlierEjection.defaults().withFailureShare(0.5));
        builder.route(r -> r.path("/v1/").forward(llm))
                .route(r -> r.host("chat.example.com").forward(llm));
        // readme: end
    }

    static void slowStart(ProxyConfig.Builder builder, UpstreamGroup llm) {
        // readme: slowStart
        builder.forward(llm.balancing(Balancing.leastConnections()).slowStart(Duration.ofMinutes(1)));
        // readme: end
    }

    static void answerFailover(ProxyConfig.Builder builder, UpstreamGroup llm) {
        // readme: answerFailover
        builder.route(r -> r.path("/v1/")
                .forward(llm)
                .retryOn(429, 503)
                .retryOnFirstByte(Duration.ofSeconds(20))
                .retryNonIdempotent());
        // readme: end
    }

    static void sessions(ProxyConfig.Builder builder, UpstreamGroup tools, UpstreamGroup sites) {
        // readme: sessions
        builder.route(r -> r.path("/mcp").forward(tools.balancing(Balancing.header("Mcp-Session-Id"))));
        builder.forward(sites.balancing(Balancing.cookie("SERVER")));
        // readme: end
    }

    static void http2(ProxyConfig.Builder builder) {
        // readme: http2
        builder.route(r -> r.path("/inference.GRPCInferenceService/")
                .forward(UpstreamGroup.of("h2c://127.0.0.1:8001").healthCheck(HealthCheck.grpc())));
        builder.route(r ->
                r.path("/api/").forward(Upstream.of("https://10.0.0.7:8443").withHttp2()));
        // readme: end
    }

    static void lenient(ProxyConfig.Builder builder) {
        // readme: lenient
        builder.route(r ->
                r.path("/heating/").forward(Upstream.of("http://192.168.1.40").lenientResponses()));
        // readme: end
    }

    static void inProcess(ProxyConfig.Builder builder) {
        // readme: process
        builder.route(r -> r.path("/files/").forward("http://127.0.0.1:9000").filter(request -> {
            String tenant = request.header("X-Tenant").orElse("");
            return tenant.matches("[a-z0-9]+")
                    ? FilterDecision.proceed()
                            .withPath("/" + tenant + request.path())
                            .addTag("tenant", tenant)
                    : FilterDecision.answer(Answer.text(400, "Which tenant?"));
        }));
        builder.route(r -> r.path("/healthz").answer(Answer.text(200, "ok")));
        builder.errorPages((status, error, request) ->
                Optional.of(Answer.text(status, "That went wrong. Say this to us: " + request.requestId())));
        // readme: end
    }

    static void responses(ProxyConfig.Builder builder) {
        // readme: responseFilter
        builder.route(r -> r.path("/wiki/")
                .forward("http://127.0.0.1:3000")
                .responseFilter((request, response) -> response.status() >= 500
                        ? FilterDecision.answer(Answer.text(
                                        503,
                                        "Back in a minute, " + request.user().orElse("stranger")))
                                .addTag("was", Integer.toString(response.status()))
                        : FilterDecision.proceed().removeHeader("X-Powered-By").addHeader("Vary", "Cookie")));
        // readme: end
    }

    static void authenticator(ProxyConfig.Builder builder, Function<String, Optional<String>> userOfToken) {
        // readme: authenticator
        final class Tokens implements Authenticator {
            private volatile Executor threads = Runnable::run;

            @Override
            public void start(ScheduledExecutorService executor) {
                threads = executor;
            }

            @Override
            public CompletionStage<AuthDecision> authenticate(RequestHead request) {
                AuthDecision challenge = AuthDecision.denied(401).withHeader("WWW-Authenticate", "Bearer");
                String field = request.header("Authorization").orElse("");
                if (!field.startsWith("Bearer ")) {
                    return CompletableFuture.completedFuture(challenge);
                }
                String token = field.substring("Bearer ".length()); // the request isn't read by another thread
                return CompletableFuture.supplyAsync(
                        () -> userOfToken
                                .apply(token)
                                .map(AuthDecision::granted)
                                .orElse(challenge),
                        threads);
            }
        }
        builder.authenticator(new Tokens());
        // readme: end
    }

    static void automatic() {
        // readme: automatic
        AcmeCertificates acme = AcmeCertificates.builder()
                .names("example.com", "www.example.com", "192.0.2.10")
                .contact("admin@example.com")
                .acceptTermsOfService()
                .storage(Path.of("/var/lib/example/certificates"))
                .build();
        ProxyServer.builder()
                .https(443)
                .redirectHttp(80)
                .certificates(Certificates.firstOf(acme, Certificates.selfSigned("example.com")))
                .forward("http://127.0.0.1:8080")
                .start();
        // readme: end
    }

    static ProxyObserver observer(ProxyConfig.Builder builder) {
        // readme: observer
        ProxyObserver observer = ProxyObserver.async(
                new ProxyObserver() {
                    @Override
                    public void exchangeEnded(ExchangeRecord exchange) {
                        System.out.println(exchange.status() + " " + exchange.path() + " " + exchange.total());
                    }
                },
                1000);
        builder.observer(observer);
        // readme: end
        return observer;
    }

    static void metrics(ProxyConfig.Builder builder, MeterRegistry registry) {
        // readme: metrics
        ProxyMetrics metrics = ProxyMetrics.bind(registry); // or bind(registry, "public") where it has several servers
        builder.observer(metrics);
        // readme: end
    }

    static void status(ProxyConfig.Builder builder) {
        // readme: status
        builder.http(9091, e -> e.name("status").bind("127.0.0.1").answer(StatusPage.defaults()));
        builder.route(
                r -> r.host("status.example.com").basicAuth("me", "secret").answer(StatusPage.defaults()));
        // readme: end
    }
}
