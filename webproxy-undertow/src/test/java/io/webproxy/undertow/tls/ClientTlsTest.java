package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyStartException;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.Certificates;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(LeakCheck.class)
class ClientTlsTest {
    @TempDir
    Path directory;

    private TestKeys keys;

    @BeforeEach
    void makeKeys() throws Exception {
        keys = new TestKeys(directory);
    }

    private static void connect(Optional<Path> trust, TlsProvider provider, Certificates served, String host)
            throws SSLException {
        Clock whenValid = Clock.fixed(Instant.now().minus(Duration.ofDays(2)), ZoneOffset.UTC);
        boolean past = served.toString().contains("past");
        ServerTls server = past
                ? ServerTls.create(List.of(served), TlsProvider.JDK, whenValid)
                : ServerTls.create(List.of(served), TlsProvider.JDK);
        SSLEngine client = ClientTls.create(TestKeys.trusting(trust), provider)
                .sslContext()
                .createSSLEngine(host, 443);
        TlsPair pair = new TlsPair(client, server);
        try {
            pair.handshake();
            assertThat(client.getApplicationProtocol()).isEqualTo("http/1.1");
        } finally {
            pair.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO,a.example.com",
        "AUTO,A.Example.com.",
        "AUTO,b.wild.example.com",
        "AUTO,192.0.2.7",
        "AUTO,2001:db8::7",
        "AUTO,[2001:db8:0::7]",
        "AUTO,backend",
        "JDK,a.example.com",
        "JDK,A.Example.com.",
        "JDK,b.wild.example.com",
        "JDK,192.0.2.7",
        "JDK,2001:db8::7",
        "JDK,[2001:db8:0::7]",
        "JDK,backend"
    })
    void namedUpstreamIsTrusted(TlsProvider provider, String host) throws Exception {
        Certificates served = keys.ec("a.example.com", "*.wild.example.com", "192.0.2.7", "2001:db8::7", "backend");
        connect(Optional.of(keys.trust), provider, served, host);
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO,b.example.com",
        "AUTO,192.0.2.8",
        "AUTO,2001:db8::8",
        "AUTO,c.b.wild.example.com",
        "AUTO,my_app.internal",
        "AUTO,192.0.2.9",
        "JDK,b.example.com",
        "JDK,192.0.2.8",
        "JDK,2001:db8::8",
        "JDK,c.b.wild.example.com",
        "JDK,my_app.internal",
        "JDK,192.0.2.9"
    })
    void upstreamCannotPassForAnother(TlsProvider provider, String host) throws Exception {
        // 192.0.2.9 is its common name only
        Certificates served = keys.source(keys.builder("a.example.com", "*.wild.example.com", "192.0.2.7")
                .commonName("192.0.2.9")
                .build());
        assertThatThrownBy(() -> connect(Optional.of(keys.trust), provider, served, host))
                .isInstanceOf(SSLException.class)
                .hasMessageFindingMatch("No subject alternative |Illegal given domain name: my_app.internal");
    }

    @ParameterizedTest
    @EnumSource
    void certificateOfAnotherAuthorityIsRefused(TlsProvider provider) throws Exception {
        HeldCertificate other = new HeldCertificate.Builder()
                .addSubjectAlternativeName("a.example.com")
                .build();
        Certificates served = keys.alone(other);
        assertThatThrownBy(() -> connect(Optional.of(keys.trust), provider, served, "a.example.com"))
                .isInstanceOf(SSLException.class);
        assertThatThrownBy(() -> connect(Optional.empty(), provider, keys.ec("a.example.com"), "a.example.com"))
                .isInstanceOf(SSLException.class);
    }

    @ParameterizedTest
    @EnumSource
    void expiredCertificateIsRefused(TlsProvider provider) throws Exception {
        Path past = Files.createDirectory(directory.resolve("past"));
        long day = Duration.ofDays(1).toMillis();
        long now = System.currentTimeMillis();
        Certificates served = new TestKeys(past)
                .source(keys.builder("a.example.com")
                        .validityInterval(now - 9 * day, now - day)
                        .build());
        assertThatThrownBy(() -> connect(Optional.of(keys.trust), provider, served, "a.example.com"))
                .isInstanceOf(SSLException.class);
    }

    @ParameterizedTest
    @EnumSource
    void selfSignedUpstreamIsTrustedByItsCertificate(TlsProvider provider) throws Exception {
        Path kept = directory.resolve("kept");
        Certificates served = Certificates.selfSigned("localhost", "127.0.0.1").storedIn(kept);
        ServerTls.create(List.of(served), TlsProvider.JDK);
        Optional<Path> trust = Optional.of(kept.resolve("self-signed.crt"));
        connect(trust, provider, served, "127.0.0.1");
        connect(trust, provider, served, "localhost");
        assertThatThrownBy(() -> connect(trust, provider, served, "127.0.0.2")).isInstanceOf(SSLException.class);
    }

    @Test
    void trustFileThatCannotBeUsedIsOneSentence() throws Exception {
        Path missing = directory.resolve("missing.pem");
        assertThatThrownBy(() -> ClientTls.create(TestKeys.trusting(Optional.of(missing)), TlsProvider.JDK))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage(missing + " doesn't exist (expected: a file with the trusted certificates).");
        Path empty = Files.writeString(directory.resolve("empty.pem"), "nothing\n");
        assertThatThrownBy(() -> ClientTls.create(TestKeys.trusting(Optional.of(empty)), TlsProvider.AUTO))
                .hasMessage("There is no certificate in " + empty + " (expected: the trusted certificates, as PEM).");
    }
}
