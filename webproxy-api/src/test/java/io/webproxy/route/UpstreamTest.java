package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.tls.Certificates;
import io.webproxy.tls.TrustStore;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamTest {
    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:8080, false, 127.0.0.1, 8080",
        "http://localhost, false, localhost, 80",
        "https://localhost, true, localhost, 443",
        "https://localhost/, true, localhost, 443",
        "HTTPS://Chat.Example.COM:8443, true, chat.example.com, 8443",
        "http://[::1]:8080, false, [::1], 8080",
        "http://[2001:DB8::1], false, [2001:db8::1], 80",
        "http://host:65535, false, host, 65535",
        "http://host:, false, host, 80"
    })
    void schemeHostAndPortAreRead(String uri, boolean tls, String host, int port) {
        Upstream upstream = Upstream.of(uri);

        assertThat(upstream.tls()).isEqualTo(tls);
        assertThat(upstream.host()).isEqualTo(host);
        assertThat(upstream.port()).isEqualTo(port);
        assertThat(upstream.authority()).isEqualTo(host + ":" + port);
        assertThat(upstream).hasToString((tls ? "https://" : "http://") + host + ":" + port);
        assertThat(upstream.trust()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "h2c://127.0.0.1:50051, false, 127.0.0.1, 50051",
        "h2c://a_b, false, a_b, 80",
        "H2C://Host, false, host, 80",
        "https+h2://host, true, host, 443",
        "https+h2://a_b:8443/, true, a_b, 8443",
    })
    void http2IsPartOfTheUri(String uri, boolean tls, String host, int port) {
        Upstream upstream = Upstream.of(uri);

        assertThat(upstream.isHttp2()).isTrue();
        assertThat(upstream.tls()).isEqualTo(tls);
        assertThat(upstream.authority()).isEqualTo(host + ":" + port);
        assertThat(upstream).hasToString((tls ? "https+h2://" : "h2c://") + host + ":" + port);
        assertThat(Upstream.of(upstream.toString())).isEqualTo(upstream).hasSameHashCodeAs(upstream);
    }

    @Test
    void http2OverTlsIsSaidByUriOrByMethodAndMakesAnotherUpstream() {
        Upstream plain = Upstream.of("https://host");
        Upstream both = plain.withTrust(TrustStore.pem(Path.of("ca.pem"))).withHttp2();

        assertThat(plain.isHttp2()).isFalse();
        assertThat(plain.withHttp2()).isEqualTo(Upstream.of("https+h2://host")).isNotEqualTo(plain);
        assertThat(plain.withHttp2().withHttp2()).isEqualTo(plain.withHttp2());
        assertThat(both.isHttp2()).isTrue();
        assertThat(both.trust()).contains(TrustStore.pem(Path.of("ca.pem")));
        assertThat(plain.withHttp2().withTrust(TrustStore.pem(Path.of("ca.pem"))))
                .isEqualTo(both);
        assertThat(Upstream.of("h2c://host").withHttp2()).isEqualTo(Upstream.of("h2c://host"));
        assertThat(Upstream.of("h2c://host")).isNotEqualTo(Upstream.of("http://host"));
        assertThat(Upstream.of("h2c://host").withProxyProtocol(2).isHttp2()).isTrue();
    }

    @Test
    void lenientUpstreamIsAnotherOneOfTheSameUri() {
        Upstream strict = Upstream.of("https://host");
        Upstream lenient = strict.lenientResponses();

        assertThat(strict.isLenient()).isFalse();
        assertThat(lenient.isLenient()).isTrue();
        assertThat(lenient).isNotEqualTo(strict).hasToString(strict.toString());
        assertThat(lenient.lenientResponses()).isEqualTo(lenient).hasSameHashCodeAs(lenient);
        assertThat(lenient.place()).as("sessions stay").isEqualTo(strict.place());
        assertThat(lenient.withTrust(TrustStore.pem(Path.of("ca.pem")))
                        .withIdentity(Certificates.pem(Path.of("c.pem"), Path.of("k.pem")))
                        .withProxyProtocol(1)
                        .withHttp2())
                .isEqualTo(strict.withTrust(TrustStore.pem(Path.of("ca.pem")))
                        .withIdentity(Certificates.pem(Path.of("c.pem"), Path.of("k.pem")))
                        .withProxyProtocol(1)
                        .withHttp2()
                        .lenientResponses());
        assertThat(UpstreamGroup.of(strict).named("a"))
                .isNotEqualTo(UpstreamGroup.of(lenient).named("a"));
    }

    @Test
    void http2InCleartextHasASchemeOfItsOwn() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Upstream.of("http://host").withHttp2())
                .withMessage("forward: http://host:80 (expected: h2c://host:80, for HTTP/2 in cleartext, or an https://"
                        + " upstream)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Upstream.of("h2c://host").withTrust(TrustStore.pem(Path.of("ca.pem"))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "host",
                "host:80",
                "127.0.0.1:80",
                "//host",
                "http:",
                "http:host",
                "http://",
                "http:///",
                "http://:80",
                "ftp://host",
                "h2://host",
                "http+h2://host",
                "h2c://host/path",
                "ws://host",
                "file:///etc/passwd",
                "http://host:0",
                "http://host:65536",
                "http://host:99999999999",
                "http://host:-1",
                "http://host:x",
                "http://host/path",
                "http://host//",
                "http://host?",
                "http://host?a=b",
                "http://host#",
                "http://host#f",
                "http://a b",
                " http://host",
                "http://host\r\nX: y",
                "http://999.1.1.1",
                "http://[::1",
                "http://[zz]",
                "http://::1"
            })
    void whatIsNoOriginIsRefusedWithItsText(String uri) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Upstream.of(uri))
                .withMessage("forward: " + (uri.isEmpty() ? "''" : uri)
                        + " (expected: http://host:port or https://host:port, h2c:// or https+h2:// for"
                        + " HTTP/2 and gRPC, port 1-65535, without user, path and query)");
    }

    @Test
    void severalInOneUriAreToldApart() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Upstream.of("h2c://a:1,h2c://b:1"))
                .withMessage(
                        "forward: h2c://a:1,h2c://b:1 (expected: one upstream in each URI, such as http://host:port)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://operator:hunter2@host",
                "http://operator:hunter2@host/path",
                "http://operator:hunter2@ho st",
                "https://operator:hunt@er2@host",
                "ftp://operator:hunter2@host",
                "operator:hunter2@host:80"
            })
    void userInfoIsRefusedAndNeverRepeated(String uri) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Upstream.of(uri))
                .withMessageStartingWith("forward: …@ho")
                .withMessageNotContaining("operator")
                .withMessageNotContaining("hunt");
    }

    @Test
    void ownTrustIsForTlsOnly() {
        TrustStore pem = TrustStore.pem(Path.of("ca.pem"));
        Upstream trusting = Upstream.of("https://host").withTrust(pem);

        assertThat(trusting.trust()).contains(pem);
        assertThat(trusting).isNotEqualTo(Upstream.of("https://host"));
        assertThat(trusting).isEqualTo(Upstream.of("https://HOST:443/").withTrust(pem));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Upstream.of("http://host").withTrust(pem))
                .withMessage(
                        "forward: http://host:80 (expected: an https:// or https+h2:// upstream, for it has a trust"
                                + " store)");
    }

    @Test
    void identityIsForTlsOnlyAndOfFilesOnly() {
        Certificates pem = Certificates.pem(Path.of("c.pem"), Path.of("k.pem"));
        assertThat(Upstream.of("https://host").withIdentity(pem).identity()).contains(pem);
        assertThat(Upstream.of("https://host").identity()).isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Upstream.of("http://host").withIdentity(pem))
                .withMessage("forward: http://host:80 (expected: an https:// or https+h2:// upstream, for it has an"
                        + " identity)");
        for (Certificates other : List.of(
                Certificates.selfSigned("localhost"),
                Certificates.firstOf(pem),
                Certificates.forNames(pem, "localhost"))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Upstream.of("https://host").withIdentity(other))
                    .withMessage("identity: " + other + " (expected: Certificates.pem(…) or Certificates.pkcs12(…))");
        }
    }

    @Test
    void upstreamsThatDifferInWhatTheyShowOrTrustAreNeverEqual() {
        Path file = Path.of("file");
        Path other = Path.of("other");
        Upstream plain = Upstream.of("https://host");
        List<Supplier<Upstream>> kinds = List.of(
                () -> plain,
                () -> plain.withTrust(TrustStore.pem(file)),
                () -> plain.withTrust(TrustStore.pem(other)),
                () -> plain.withTrust(TrustStore.pkcs12(file, "")),
                () -> plain.withTrust(TrustStore.pkcs12(file, "hunter2")),
                () -> plain.withIdentity(Certificates.pem(file, file)),
                () -> plain.withIdentity(Certificates.pem(file, other)),
                () -> plain.withIdentity(Certificates.pem(other, file)),
                () -> plain.withIdentity(Certificates.pem(file, file, "hunter2")),
                () -> plain.withIdentity(Certificates.pkcs12(file, "")),
                () -> plain.withIdentity(Certificates.pkcs12(file, "hunter2")),
                () -> plain.withIdentity(Certificates.pkcs12(other, "")),
                () -> plain.withTrust(TrustStore.pem(file)).withIdentity(Certificates.pem(file, file)),
                () -> plain.withIdentity(Certificates.pem(file, other)).withTrust(TrustStore.pem(file)));
        for (int i = 0; i < kinds.size(); i++) {
            for (int j = 0; j < kinds.size(); j++) {
                Upstream one = kinds.get(i).get();
                Upstream another = kinds.get(j).get();
                assertThat(one.equals(another)).as(i + " " + j).isEqualTo(i == j);
                assertThat(i != j || one.hashCode() == another.hashCode()).isTrue();
            }
        }
    }

    @Test
    void passwordsNeverShowInToString() {
        Upstream upstream = Upstream.of("https://host")
                .withTrust(TrustStore.pkcs12(Path.of("trust.p12"), "hunter2"))
                .withIdentity(Certificates.pkcs12(Path.of("identity.p12"), "hunter3"));
        assertThat(upstream.trust().flatMap(TrustStore::password)).contains("hunter2");
        assertThat(upstream).hasToString("https://host:443");
    }

    @Test
    void sameOriginIsEqualAndSchemesDiffer() {
        assertThat(Upstream.of("http://HOST:80/"))
                .isEqualTo(Upstream.of("http://host"))
                .hasSameHashCodeAs(Upstream.of("http://host"));
        assertThat(Upstream.of("http://host:443")).isNotEqualTo(Upstream.of("https://host:443"));
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException().isThrownBy(() -> Upstream.of(null)).withMessage("uri");
        assertThatNullPointerException()
                .isThrownBy(() -> Upstream.of("https://host").withTrust(null))
                .withMessage("trust");
        assertThatNullPointerException()
                .isThrownBy(() -> Upstream.of("https://host").withIdentity(null))
                .withMessage("certificate");
    }
}
