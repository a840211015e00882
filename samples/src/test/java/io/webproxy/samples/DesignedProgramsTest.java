package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.webproxy.ProxyServer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The programs that the public face was designed by: they compile as they are printed, with the api alone. */
class DesignedProgramsTest {
    private static final String IMPORTS = """
            import io.webproxy.*;
            import io.webproxy.http.*;
            import io.webproxy.observe.*;
            import io.webproxy.port.*;
            import io.webproxy.route.*;
            import io.webproxy.timeout.*;
            import io.webproxy.tls.*;
            import java.nio.file.Path;
            import java.time.Duration;
            import java.util.List;
            """;

    private static final String SERVER = """
            try (ProxyServer proxy = ProxyServer.builder()
                    .https(8443)                                       // 0 = any free port; also .http(port), .redirectHttp(port)
                    .certificates(Certificates.selfSigned("192.0.2.10", "localhost"))
                    .forward("http://127.0.0.1:8080")                  // the default route
                    .route(r -> r.path("/embedding-model/").stripPrefix().forward("http://127.0.0.1:30001"))
                    .route(r -> r.host("*.chat.example.com").forward(llm))
                    .basicAuth("user", "secret")
                    .timeouts(TimeoutPolicy.defaults().with(TimeoutClass.LONG, Duration.ofMinutes(20)))
                    .trustedProxies("10.0.0.0/8")
                    .observer(myObserver)
                    .start()) {
                System.out.println(proxy.uri());                       // https://localhost:8443/
                proxy.awaitClose();
            }
            """;

    private static final String GROUP = """
            UpstreamGroup llm = UpstreamGroup.of("http://10.0.0.7:8000", "http://10.0.0.8:8000")   // shared by as many routes as like
                    .named("llm")
                    .balancing(Balancing.leastConnections())
                    .healthCheck(HealthCheck.path("/health"))
                    .outlierEjection(OutlierEjection.defaults());
            """;

    private static final String CHANGES = """
            builder.https(8443, e -> e.name("public").bind("::").proxyProtocol(ProxyProtocol.REQUIRED).clientCertificates(…));   // per endpoint
            proxy.update(c -> c.route(r -> r.name("chat").host("chat.example.com").forward(llm)));                               // incremental
            proxy.update(proxy.config().toBuilder().routes(routesFromFile).build());                                             // declarative
            """;

    static Stream<Arguments> programs() {
        return Stream.of(
                arguments("server", "UpstreamGroup llm, ProxyObserver myObserver", SERVER),
                arguments("group", "", GROUP),
                arguments(
                        "changes",
                        "ProxyConfig.Builder builder, ProxyServer proxy, UpstreamGroup llm, List<Route> routesFromFile",
                        CHANGES.replace("…", "ClientCertificates.required(TrustStore.pem(Path.of(\"ca.pem\")))")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("programs")
    void programCompilesAsPrinted(String name, String given, String program, @TempDir Path classes) throws Exception {
        String source =
                IMPORTS + "class Program { static void run(" + given + ") throws Exception {\n" + program + "}}";

        assertThat(errors(source, classes)).isEmpty();
        assertThat(classes.resolve("Program.class")).isNotEmptyFile();
    }

    private static List<String> errors(String source, Path classes) throws Exception {
        JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler(), "a JDK");
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        Path api = Path.of(ProxyServer.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (StandardJavaFileManager files =
                compiler.getStandardFileManager(found, Locale.ROOT, StandardCharsets.UTF_8)) {
            compiler.getTask(
                            null,
                            files,
                            found,
                            List.of("-proc:none", "-classpath", api.toString(), "-d", classes.toString()),
                            null,
                            List.of(
                                    new SimpleJavaFileObject(
                                            URI.create("string:///Program.java"), JavaFileObject.Kind.SOURCE) {
                                        @Override
                                        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                                            return source;
                                        }
                                    }))
                    .call();
        }
        return found.getDiagnostics().stream()
                .filter(each -> each.getKind() == Diagnostic.Kind.ERROR)
                .map(Object::toString)
                .toList();
    }
}
