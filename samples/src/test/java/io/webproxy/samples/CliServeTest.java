package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.webproxy.samples.demo.DemoService;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.FreePorts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import okhttp3.Credentials;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class CliServeTest {
    @TempDir
    Path directory;

    private TestIdentity identity;
    private OkHttpClient client;

    @BeforeEach
    void makeIdentity() throws IOException {
        identity = TestIdentity.in(directory);
        client = identity.newClient();
    }

    @AfterEach
    void closeClient() {
        TestProxy.close(client);
    }

    @Test
    void demoServesItsPageByHttps() throws Exception {
        try (Served demo = Served.start(with("demo", "--external-port", "0", "--bind", "127.0.0.1"))) {
            assertThat(demo.url("/").scheme()).isEqualTo("https");
            assertThat(demo.url("/").host()).isEqualTo("localhost");
            assertThat(get(demo.url("/"))).contains("<title>webproxy demo</title>");
            assertThat(get(demo.url("/api/hello"))).contains("\"X-Forwarded-Proto\":\"https\"");
        }
    }

    @Test
    void plainDemoServesHttp() throws Exception {
        try (Served demo = Served.start("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain")) {
            assertThat(demo.url("/").scheme()).isEqualTo("http");
            assertThat(get(demo.url("/api/hello"))).contains("\"X-Forwarded-Proto\":\"http\"");
        }
    }

    @Test
    void openEventStreamDoesNotHoldTheDemoUp() throws Exception {
        try (Served demo = Served.start("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain");
                Response events = client.newCall(
                                new Request.Builder().url(demo.url("/events")).build())
                        .execute()) {
            assertThat(events.body().source().readUtf8Line()).startsWith("data:");
            long start = System.nanoTime();
            assertThat(demo.stop()).isZero();
            assertThat(System.nanoTime() - start).isLessThan(25_000_000_000L);
        }
    }

    @Test
    void routesAreToldApartByHostAndPathAndWhatNoneMatchesIsNotFound() throws Exception {
        try (DemoService chat = DemoService.ofModel("chat");
                DemoService embedding = DemoService.ofModel("embedding");
                Served proxy = Served.start(
                        "expose",
                        "--external-port",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--plain",
                        "--trusted-proxy",
                        "127.0.0.0/8",
                        "--route",
                        "localhost/v1=http://127.0.0.1:" + chat.port(),
                        "--route",
                        "/headers=http://127.0.0.1:" + chat.port() + ",http://127.0.0.1:" + embedding.port(),
                        "--strip",
                        "/embedding-model/=http://127.0.0.1:" + embedding.port())) {
            assertThat(get(proxy.url("/v1/models"))).contains("\"id\":\"chat\"");
            assertThat(get(proxy.url("/embedding-model/v1/models"))).contains("\"id\":\"embedding\"");
            Request named = new Request.Builder()
                    .url(proxy.url("/headers"))
                    .header("X-Forwarded-For", "192.0.2.7")
                    .build();
            try (Response headers = client.newCall(named).execute();
                    Response none = client.newCall(new Request.Builder()
                                    .url(proxy.url("/other"))
                                    .build())
                            .execute()) {
                assertThat(headers.body().string()).contains("X-Real-IP: 192.0.2.7");
                assertThat(none.code()).isEqualTo(404);
            }
        }
    }

    /** Another proxy is one that speaks HTTP/2 in cleartext. */
    @Test
    void servicesGetTheUserInTheFieldThatIsNamed() throws Exception {
        String service = "http://127.0.0.1:";
        try (DemoService chat = DemoService.ofModel("chat");
                Served proxy = Served.start(
                        "expose",
                        "--external-port",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--plain",
                        "--user",
                        "ann",
                        "--password",
                        "secret",
                        "--send-user",
                        "X-Who",
                        "--to",
                        service + chat.port(),
                        "--route",
                        "/headers=" + service + chat.port())) {
            for (String path : new String[] {"/headers", "/api/hello"}) {
                Request request = new Request.Builder()
                        .url(proxy.url(path))
                        .header("Authorization", Credentials.basic("ann", "secret"))
                        .header("X-Who", "forged")
                        .build();
                try (Response response = client.newCall(request).execute()) {
                    assertThat(response.body().string()).contains("ann").doesNotContain("forged");
                }
            }
        }
    }

    @Test
    void routeMayGoToAServiceThatSpeaksHttp2() throws Exception {
        try (DemoService service = DemoService.ofModel("chat");
                Served inner = Served.start(
                        "expose",
                        "--external-port",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--plain",
                        "--to",
                        "http://127.0.0.1:" + service.port());
                Served outer = Served.start(
                        "expose",
                        "--external-port",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--plain",
                        "--route",
                        "/v1/=h2c://127.0.0.1:" + inner.url("/").port())) {
            assertThat(get(outer.url("/v1/models"))).contains("\"id\":\"chat\"");
        }
    }

    @ParameterizedTest
    @CsvSource({"'',true,true", "all,true,true", "X-Forwarded,true,false", "none,false,false"})
    void serviceGetsTheForwardingFieldsThatAreWanted(String which, boolean xForwarded, boolean forwarded)
            throws Exception {
        try (DemoService service = DemoService.start()) {
            List<String> arguments =
                    new ArrayList<>(List.of("expose", "--external-port", "0", "--bind", "127.0.0.1", "--plain"));
            arguments.addAll(List.of("--to", "http://127.0.0.1:" + service.port()));
            if (!which.isEmpty()) {
                arguments.addAll(List.of("--forwarded-headers", which));
            }
            try (Served proxy = Served.start(arguments.toArray(String[]::new))) {
                String fields = "\n" + get(proxy.url("/headers"));
                assertThat(fields.contains("\nX-Forwarded-For: ")).isEqualTo(xForwarded);
                assertThat(fields.contains("\nX-Real-IP: ")).isEqualTo(xForwarded);
                assertThat(fields.contains("\nForwarded: ")).isEqualTo(forwarded);
                assertThat(fields).contains("\nX-Request-Id: ");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"--to,true,200", "--internal-port,true,200", "--to,false,502"})
    void serviceMayBeLenientOnlyIfToldSo(String option, boolean lenient, int status) throws Exception {
        try (RawUpstream service = RawUpstream.answering("HTTP/1.0 200 OK\nContent-Length: 2\n\nok")) {
            List<String> arguments =
                    new ArrayList<>(List.of("expose", "--external-port", "0", "--bind", "127.0.0.1", "--plain"));
            arguments.addAll(List.of(option, option.equals("--to") ? service.uri() : Integer.toString(service.port())));
            if (lenient) {
                arguments.add("--lenient-responses");
            }
            try (Served proxy = Served.start(arguments.toArray(String[]::new));
                    Response response = client.newCall(
                                    new Request.Builder().url(proxy.url("/")).build())
                            .execute()) {
                assertThat(response.code()).isEqualTo(status);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"'',CLIENT", "client,CLIENT", "UPSTREAM,UPSTREAM", "ollama:11434,ollama:11434"})
    void hostHeaderIsTheClientsUnlessToldOtherwise(String policy, String expected) throws Exception {
        try (DemoService service = DemoService.start()) {
            List<String> arguments =
                    new ArrayList<>(List.of("expose", "--external-port", "0", "--bind", "127.0.0.1", "--plain"));
            String url = "http://127.0.0.1:" + service.port();
            arguments.addAll(List.of("--to", url, "--strip", "/x/=" + url));
            if (!policy.isEmpty()) {
                arguments.addAll(List.of("--host-header", policy));
            }
            try (Served proxy = Served.start(arguments.toArray(String[]::new))) {
                String host = expected.replace(
                                "CLIENT", "localhost:" + proxy.url("/").port())
                        .replace("UPSTREAM", "127.0.0.1:" + service.port());
                assertThat(get(proxy.url("/headers"))).contains("\nHost: " + host + "\n");
                assertThat(get(proxy.url("/x/headers"))).contains("\nHost: " + host + "\n");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void busyServiceIsLeftForAnotherIfToldSo(boolean retry) throws Exception {
        try (RawUpstream busy = RawUpstream.answering("HTTP/1.1 429 Busy¶Content-Length: 4¶¶busy");
                RawUpstream free = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 4¶¶free")) {
            List<String> arguments = new ArrayList<>(List.of(
                    "expose",
                    "--external-port",
                    "0",
                    "--bind",
                    "127.0.0.1",
                    "--plain",
                    "--balancing",
                    "failover",
                    "--to",
                    busy.uri(),
                    "--to",
                    free.uri(),
                    "--route",
                    "/x/=" + busy.uri() + "," + free.uri()));
            if (retry) {
                arguments.addAll(List.of("--retry-on", "503,429", "--retry-on-first-byte", "20s"));
            }
            try (Served proxy = Served.start(arguments.toArray(String[]::new))) {
                assertThat(get(proxy.url("/"))).isEqualTo(retry ? "free" : "busy");
                assertThat(get(proxy.url("/x/"))).isEqualTo(retry ? "free" : "busy");
            }
        }
    }

    @Test
    void hostOfOneLabelIsWrittenWithTwoSlashes() throws Exception {
        try (DemoService nas = DemoService.ofModel("nas");
                Served proxy = Served.start(
                        "expose",
                        "--external-port",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--plain",
                        "--route",
                        "//nas/=http://127.0.0.1:" + nas.port())) {
            Request request = new Request.Builder().url(proxy.url("/v1/models")).build();
            try (Response named = client.newCall(
                                    request.newBuilder().header("Host", "nas").build())
                            .execute();
                    Response other = client.newCall(request).execute()) {
                assertThat(named.code()).isEqualTo(200);
                assertThat(other.code()).isEqualTo(404);
            }
        }
    }

    @Test
    void keyMayBeEncrypted() throws Exception {
        Path encrypted = directory.resolve("encrypted.pem");
        EncryptedKey.write(identity.key(), encrypted, "p4ss");
        try (Served demo = Served.start(
                "demo",
                "--external-port",
                "0",
                "--bind",
                "127.0.0.1",
                "--cert",
                identity.cert().toString(),
                "--key",
                encrypted.toString(),
                "--key-password",
                "p4ss")) {
            assertThat(get(demo.url("/api/hello"))).contains("hello");
        }
    }

    @Test
    void logLevelHoldsWhileItServes() throws Exception {
        Logger log = LoggerFactory.getLogger("io.webproxy.server");
        boolean before = log.isDebugEnabled();
        List<String> plain = List.of("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain");
        for (String level : List.of("error", "DEBUG")) {
            List<String> arguments = new ArrayList<>(plain);
            arguments.addAll(List.of("--log-level", level));
            try (Served demo = Served.start(arguments.toArray(String[]::new))) {
                assertThat(log.isWarnEnabled()).isEqualTo(level.equals("DEBUG"));
                assertThat(log.isDebugEnabled()).isEqualTo(level.equals("DEBUG"));
            }
            assertThat(log.isDebugEnabled()).isEqualTo(before);
            assertThat(log.isWarnEnabled()).isTrue();
        }
    }

    @Test
    void httpPortRedirectsToHttps() throws Exception {
        int port = FreePorts.next();
        try (Served demo = Served.start(
                with("demo", "--external-port", "0", "--bind", "127.0.0.1", "--http-port", Integer.toString(port)))) {
            HttpUrl clear = HttpUrl.get("http://localhost:" + port + "/api/hello?x=1");
            OkHttpClient staying = client.newBuilder()
                    .followSslRedirects(false)
                    .followRedirects(false)
                    .build();
            try (Response response =
                    staying.newCall(new Request.Builder().url(clear).build()).execute()) {
                assertThat(response.code()).isEqualTo(301);
                assertThat(response.header("Location"))
                        .isEqualTo(demo.url("/api/hello?x=1").toString());
            }
        }
    }

    @Test
    void exposeAsksForTheUserWhenToldTo() throws Exception {
        assertAlicePasses("--user", "alice", "--password", "p4ss");
    }

    @Test
    void exposeAsksForAUserOfTheHtpasswdFile() throws Exception {
        Path users = Files.writeString(
                directory.resolve("users"), "alice:$2y$05$1xHZPCHkkIvCgWRLSPF5fuX8SrYf4eWDwtf09VnNQsU6BOfW8iIMO\n");
        assertAlicePasses("--htpasswd", users.toString());
    }

    private void assertAlicePasses(String... credentials) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("expose", "--external-port", "0", "--bind", "127.0.0.1"));
        arguments.addAll(List.of(credentials));
        try (DemoService service = DemoService.start()) {
            arguments.addAll(List.of("--internal-port", Integer.toString(service.port())));
            assertOnlyAlicePasses(with(arguments.toArray(String[]::new)));
        }
    }

    private void assertOnlyAlicePasses(String... arguments) throws Exception {
        try (Served proxy = Served.start(arguments)) {
            Request request = new Request.Builder().url(proxy.url("/headers")).build();
            try (Response refused = client.newCall(request).execute();
                    Response passed = client.newCall(request.newBuilder()
                                    .header("Authorization", Credentials.basic("alice", "p4ss"))
                                    .build())
                            .execute()) {
                assertThat(refused.code()).isEqualTo(401);
                assertThat(passed.code()).isEqualTo(200);
                assertThat(passed.body().string()).doesNotContain("Authorization");
            }
        }
    }

    @Test
    void accessLogIsAppendedToItsFileALineForEachRequest() throws Exception {
        Path log = Files.writeString(directory.resolve("access.log"), "before\n");
        try (Served demo = Served.start(
                "demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain", "--access-log", log.toString())) {
            get(demo.url("/status/200"));
            get(demo.url("/status/404?secret=x"));
        }
        assertThat(Files.readAllLines(log))
                .hasSize(3)
                .satisfiesExactly(
                        line -> assertThat(line).isEqualTo("before"),
                        line -> assertThat(line).contains("\"GET /status/200 HTTP/1.1\" 200"),
                        line -> assertThat(line)
                                .contains("GET /status/404", " 404 ")
                                .doesNotContain("secret"));
    }

    @Test
    @ExpectedLog(
            logger = "io.webproxy.server",
            contains = "can't be written (No space left on device), lines are lost: make room there")
    void fullDiskOfTheLogHoldsUpNoRequest() throws Exception {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full));
        Path log = Files.createSymbolicLink(directory.resolve("access.log"), full);
        try (Served demo = Served.start(
                "demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain", "--access-log", log.toString())) {
            for (int i = 0; i < 20; i++) {
                assertThat(get(demo.url("/status/200"))).startsWith("status 200");
            }
            Files.delete(log);
            await().until(() -> {
                get(demo.url("/api/hello"));
                return Files.exists(log) && Files.readString(log).contains("GET /api/hello ");
            });
        }
        assertThat(log).isRegularFile();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "default=300ms,Long=600ms,download=none,websocket=2h,connect=5s,total=1m",
                "default=1h,long=none,First-Byte=300ms,event-silence=1m"
            })
    void silentServiceGets504AtTheLimitOfItsClassAndAJsonLineSaysSo(String limits) throws Exception {
        Path log = directory.resolve("access.log");
        try (RawUpstream silent = RawUpstream.start(c -> {
                    c.readHead();
                    c.end();
                });
                Served proxy = Served.start(with(
                        "expose",
                        "--to",
                        silent.uri(),
                        "--external-port",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--timeout",
                        limits,
                        "--access-log",
                        log.toString(),
                        "--access-log-format",
                        "json"))) {
            for (String path : List.of("/", "/api/chat")) {
                Request request = new Request.Builder().url(proxy.url(path)).build();
                try (Response response = client.newCall(request).execute()) {
                    assertThat(response.code()).isEqualTo(504);
                }
            }
        }
        assertThat(Files.readAllLines(log))
                .satisfiesExactly(
                        line -> assertThat(line)
                                .startsWith("{\"time\":\"")
                                .contains("\"status\":504", "\"class_end\":\"DEFAULT\"", "\"total\":0."),
                        line -> assertThat(line)
                                .contains("\"class_end\":\"LONG\"", "\"error\":\"RESPONSE_HEAD_TIMEOUT\"")
                                .endsWith("}"));
    }

    @Test
    void twoRunSideBySide() throws Exception {
        try (Served one = Served.start("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain");
                Served two = Served.start("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain")) {
            assertThat(one.stop()).isZero();
            assertThat(get(two.url("/api/hello"))).contains("hello");
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void certificateIsSelfSignedUnlessToldOtherwise() throws Exception {
        try (Served demo = Served.start("demo", "--external-port", "0", "--bind", "127.0.0.1")) {
            var certificate = PresentedCertificate.of(demo.url("/").port());
            assertThat(certificate.getIssuerX500Principal()).isEqualTo(certificate.getSubjectX500Principal());
            assertThat(certificate.getSubjectAlternativeNames().toString()).contains("localhost", "127.0.0.1");
        }
    }

    private String[] with(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--cert", identity.cert().toString(), "--key", identity.key().toString()));
        return all.toArray(String[]::new);
    }

    private String get(HttpUrl url) throws IOException {
        try (Response response =
                client.newCall(new Request.Builder().url(url).build()).execute()) {
            return response.body().string();
        }
    }
}
