package io.webproxy.blackbox.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests for a host over a connection that was opened, and perhaps authenticated, for another (RFC 9110 section
 * 15.5.20, RFC 9113 section 9.1.1).
 */
@ExtendWith(LeakCheck.class)
class MisdirectedTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    /** Serves certificates for localhost and 127.0.0.1, other.example and 192.0.2.1, and *.wild.example. */
    private static TestProxy proxy(Front front, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(
                front,
                b -> more.accept(b.certificates(
                        TestProxy.certificates(),
                        Certificates.selfSigned("other.example", "192.0.2.1"),
                        Certificates.selfSigned("*.wild.example"))));
    }

    /** The status of a request over a connection whose handshake was for {@code name}. */
    private static String status(TestProxy proxy, @Nullable String name, String host) throws Exception {
        boolean http2 = proxy.front().isHttp2();
        try (RawConnection client = RawConnection.openTlsFor(
                name, proxy.port(), TestProxy.trust().sslSocketFactory(), http2 ? "h2" : "http/1.1")) {
            if (!http2) {
                client.send("GET / HTTP/1.1¶Host: " + host + "¶¶");
                return client.readResponse().substring(9, 12);
            }
            Http2Client frames = Http2Client.open(client);
            frames.request(1, "GET", "/", host);
            String answer = frames.answer(1);
            frames.request(3, "GET", "/", name == null ? "127.0.0.1" : name);
            assertThat(frames.answer(3)).as("the connection goes on").isEqualTo("200");
            return answer;
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "H1")
    void clientThatHasNamedNoHostIsServedEveryHost(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, b -> b.forward(upstream.uri()))) {
            for (String host :
                    new String[] {"localhost", "other.example", "192.0.2.1", "a.wild.example", "nobody.test"}) {
                assertThat(status(proxy, null, host)).as(host).isEqualTo("200");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void hostOfAnotherCertificateIsServedOverHttp1(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, b -> b.forward(upstream.uri()))) {
            for (String host :
                    new String[] {"localhost:1", "other.example", "Other.Example.:443", "192.0.2.1:8443", "nobody.test"
                    }) {
                assertThat(status(proxy, "localhost", host)).as(host).isEqualTo("200");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H2_TLS", "H2_TLS_JDK"})
    void authorityThatTheServedCertificateIsNotForIs421(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, b -> b.forward(upstream.uri()))) {
            for (String host :
                    new String[] {"other.example", "Other.Example.:443", "192.0.2.1", "x.wild.example", "nobody.test"
                    }) {
                assertThat(status(proxy, "localhost", host)).as(host).isEqualTo("421");
                assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
                proxy.record();
            }
            for (String host : new String[] {"localhost:1", "LOCALHOST.", "127.0.0.1"}) {
                assertThat(status(proxy, "localhost", host)).as(host).isEqualTo("200");
            }
            // one certificate, as a client that shares connections has it
            assertThat(upstream.failures()).isEmpty();
            proxy.server().update(c -> c.certificates(TestProxy.certificates()));
            assertThat(status(proxy, "localhost", "other.example")).isEqualTo("421");
        }
    }

    /** Another connection would be no better. */
    @ParameterizedTest
    @EnumSource(names = {"H2_TLS", "H2_TLS_JDK"})
    void hostThatTheHandshakeWasForIsServedWhateverTheCertificateSays(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, b -> b.forward(upstream.uri()))) {
            assertThat(status(proxy, "nobody.test", "nobody.test")).isEqualTo("200");
            assertThat(status(proxy, "nobody.test", "Nobody.Test.:8443")).isEqualTo("200");
            assertThat(status(proxy, "nobody.test", "other.example")).isEqualTo("421");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "H1")
    void whereClientsAreAskedForCertificatesOtherHostsThanTheHandshakesAre421(Front front, @TempDir Path directory)
            throws Exception {
        Path trust = Files.writeString(directory.resolve("clients.pem"), TestProxy.rootPem());
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(
                        front,
                        b -> b.forward(upstream.uri())
                                .clientCertificates(ClientCertificates.optional(TrustStore.pem(trust))))) {
            for (String host : new String[] {"127.0.0.1", "other.example", "nobody.test"}) {
                assertThat(status(proxy, "localhost", host)).as(host).isEqualTo("421");
                assertThat(status(proxy, null, host)).as(host).isEqualTo("200");
            }
            assertThat(status(proxy, "localhost", "LocalHost.:99")).isEqualTo("200");
            proxy.server().update(c -> c.clientCertificates(ClientCertificates.off()));
            assertThat(status(proxy, "localhost", "127.0.0.1")).isEqualTo("200");
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "H1")
    void hostOfNeitherARouteNorACertificateIs421(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(
                        front,
                        b -> b.route(r -> r.host("127.0.0.1").forward(upstream.uri()))
                                .route(r -> r.host("known.test").path("/x").forward(upstream.uri()))
                                .route(r -> r.host("*.known.test").path("/x").forward(upstream.uri())))) {
            for (String host : new String[] {"nobody.test", "192.0.2.2", "a.b.known.test"}) {
                assertThat(status(proxy, null, host)).as(host).isEqualTo("421");
            }
            for (String host : new String[] {
                "localhost", "other.example", "192.0.2.1", "a.wild.example", "known.test", "a.known.test"
            }) {
                assertThat(status(proxy, null, host)).as(host).isEqualTo("404");
            }
            proxy.server().update(c -> c.route(r -> r.path("/y").forward(upstream.uri())));
            assertThat(status(proxy, null, "nobody.test"))
                    .as("a route for any host")
                    .isEqualTo("404");
        }
    }
}
