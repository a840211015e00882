package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.Told;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tls.SelfSigned;
import io.webproxy.undertow.tls.keys.SelfSignedMaker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class SelfSignedTest {
    private static final Instant NOW = Instant.now().truncatedTo(ChronoUnit.SECONDS);

    @TempDir
    Path directory;

    private static KeyMaterial load(Instant now, Certificates source) {
        return new CertificateLoader(Clock.fixed(now, ZoneOffset.UTC))
                .load(List.of(source), null)
                .all()
                .get(0);
    }

    private static List<KeyMaterial> keep(CertificateLoader loader, Certificates... sources) {
        List<KeyMaterial> loaded = loader.load(List.of(sources), null).all();
        loader.keep();
        return loaded;
    }

    private SelfSigned stored(String... names) {
        return Certificates.selfSigned(names).storedIn(directory.resolve("a/b"));
    }

    @Test
    void saysWhatServersNeed() throws Exception {
        KeyMaterial entry =
                SelfSignedMaker.make(List.of("Host.Example.com", "192.0.2.10", "2001:db8::1", "*.x.org"), false, NOW);
        X509Certificate leaf = entry.leaf();
        assertThat(((ECPublicKey) leaf.getPublicKey())
                        .getParams()
                        .getCurve()
                        .getField()
                        .getFieldSize())
                .isEqualTo(256);
        assertThat(leaf.getSubjectX500Principal().getName()).isEqualTo("CN=Host.Example.com");
        assertThat(leaf.getIssuerX500Principal()).isEqualTo(leaf.getSubjectX500Principal());
        assertThat(leaf.getSubjectAlternativeNames())
                .containsExactly(
                        List.of(2, "host.example.com"),
                        List.of(7, "192.0.2.10"),
                        List.of(7, "2001:db8:0:0:0:0:0:1"),
                        List.of(2, "*.x.org"));
        assertThat(leaf.getNotBefore().toInstant()).isEqualTo(NOW.minus(Duration.ofHours(1)));
        assertThat(Duration.between(
                        leaf.getNotBefore().toInstant(), leaf.getNotAfter().toInstant()))
                .isEqualTo(Duration.ofDays(397));
        assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
        assertThat(leaf.getKeyUsage()).containsExactly(true, false, false, false, false, false, false, false, false);
        assertThat(leaf.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.1");
        assertThat(leaf.getSerialNumber().signum()).isEqualTo(1);
        assertThat(leaf.getSerialNumber().bitLength()).isBetween(100, 128);
        leaf.verify(leaf.getPublicKey());
    }

    @Test
    void rsaHas3072BitsAndMayEncipherKeys() throws Exception {
        X509Certificate leaf =
                SelfSignedMaker.make(List.of("localhost"), true, NOW).leaf();
        assertThat(((RSAPublicKey) leaf.getPublicKey()).getModulus().bitLength())
                .isEqualTo(3072);
        assertThat(leaf.getKeyUsage()).containsExactly(true, false, true, false, false, false, false, false, false);
        leaf.verify(leaf.getPublicKey());
    }

    @Test
    void opensslFindsNoFault() throws Exception {
        load(NOW, stored("192.0.2.10", "localhost"));
        Path file = directory.resolve("a/b/self-signed.crt");
        Peers.Outcome verified = Peers.run(
                Duration.ofSeconds(20),
                "openssl",
                "verify",
                "-x509_strict",
                "-purpose",
                "sslserver",
                "-verify_ip",
                "192.0.2.10",
                "-CAfile",
                file.toString(),
                "-partial_chain",
                file.toString());
        assertThat(verified.exitCode()).as(verified.toString()).isZero();
        Peers.Outcome key = Peers.run(
                Duration.ofSeconds(20), "openssl", "pkey", "-check", "-in", directory + "/a/b/self-signed.key");
        assertThat(key.stdout()).contains("Key is valid");
    }

    @ParameterizedTest
    @ValueSource(strings = {"256.1.1.1", "1.2.3", "host.42", ":", "1:2:3", "12345::"})
    void whatIsNeitherNameNorAddressIsRefused(String name) {
        assertThatThrownBy(() -> SelfSignedMaker.make(List.of(name), false, NOW))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage(
                        "selfSigned: " + name + " (expected: a DNS name such as host.example.com, or an IP address).");
    }

    @Test
    void namesAndAddressesAreListedInOrderAndCompressed() {
        KeyMaterial made = SelfSignedMaker.make(
                List.of("z.example", "2001:DB8:0:0:0:0:0:2", "10.0.0.10", "a.example", "::1", "10.0.0.9"), false, NOW);
        assertThat(HeldKeys.namesOf(made))
                .containsExactly("a.example", "z.example", "10.0.0.9", "10.0.0.10", "::1", "2001:db8::2");
        assertThat(made.toString())
                .startsWith(
                        "EC certificate for a.example, z.example, 10.0.0.9, 10.0.0.10, ::1, 2001:db8::2, valid until ");
        assertThat(Certificates.localNames())
                .startsWith("localhost", "127.0.0.1", "::1")
                .isEqualTo(Certificates.localNames())
                .noneMatch(name -> name.contains(":0:0:"));
    }

    @Test
    void longNameIsNoCommonName() {
        String name = "a23456789.".repeat(8) + "example.com";
        X509Certificate leaf = SelfSignedMaker.make(List.of(name), false, NOW).leaf();
        assertThat(leaf.getSubjectX500Principal().getName()).isEqualTo("CN=self-signed");
    }

    @Test
    void storedOneIsUsedAgainWhileItIsValidForTheSame() {
        KeyMaterial first = load(NOW, stored("localhost", "127.0.0.1", "::1"));
        assertThat(load(NOW, stored("::1", "LOCALHOST", "127.0.0.1")).leaf()).isEqualTo(first.leaf());
        Instant later = NOW.plus(Duration.ofDays(397 * 2 / 3));
        assertThat(load(later, stored("localhost", "127.0.0.1", "::1")).leaf()).isEqualTo(first.leaf());
        Instant late = NOW.plus(Duration.ofDays(397 * 2 / 3 + 1));
        KeyMaterial second = load(late, stored("localhost", "127.0.0.1", "::1"));
        assertThat(second.leaf()).isNotEqualTo(first.leaf());
        assertThat(load(late, stored("localhost", "127.0.0.1", "::1")).leaf()).isEqualTo(second.leaf());
        KeyMaterial fewer = load(late, stored("localhost", "127.0.0.1"));
        assertThat(fewer.leaf()).isNotEqualTo(second.leaf());
        assertThat(load(late, stored("localhost", "127.0.0.1").rsa()).keyType()).isEqualTo("RSA");
        assertThat(load(late, stored("localhost", "127.0.0.1").rsa()).keyType()).isEqualTo("RSA");
    }

    @Test
    void pairThatAKillLeftBehindIsMadeAnew() throws Exception {
        Path kept = directory.resolve("a/b");
        KeyMaterial first = load(NOW, stored("localhost"));
        String firstCertificate = Files.readString(kept.resolve("self-signed.crt"));
        KeyMaterial second = load(NOW, stored("other"));
        // the new key was in place, the new certificate not yet
        Files.writeString(kept.resolve("self-signed.crt"), firstCertificate);
        Files.writeString(kept.resolve("self-signed.key.new"), "half of a k");
        KeyMaterial third = load(NOW, stored("localhost"));
        assertThat(third.leaf()).isNotEqualTo(first.leaf()).isNotEqualTo(second.leaf());
        assertThat(load(NOW, stored("localhost")).leaf()).isEqualTo(third.leaf());

        Files.delete(kept.resolve("self-signed.crt"));
        KeyMaterial fourth = load(NOW, stored("localhost"));
        Files.writeString(kept.resolve("self-signed.key"), "");
        KeyMaterial fifth = load(NOW, stored("localhost"));
        assertThat(fifth.leaf()).isNotEqualTo(fourth.leaf());
        try (var files = Files.list(kept)) {
            assertThat(files)
                    .extracting(file -> file.getFileName().toString())
                    .containsExactlyInAnyOrder("self-signed.crt", "self-signed.key", ".lock");
        }
    }

    @Test
    void severalShareADirectoryByTheNamesOfTheirFiles() {
        Certificates one = Certificates.selfSigned("one").storedIn(directory, "one");
        Certificates two = Certificates.selfSigned("two").storedIn(directory, "two");
        KeyMaterial first = load(NOW, one);
        KeyMaterial second = load(NOW, two);
        assertThat(load(NOW, one).leaf()).isEqualTo(first.leaf());
        assertThat(load(NOW, two).leaf()).isEqualTo(second.leaf());
        assertThat(directory.resolve("one.key")).exists();
        assertThat(directory.resolve("two.crt")).exists();
    }

    @ParameterizedTest
    @DisabledOnOs(OS.WINDOWS)
    @ValueSource(strings = {"rw-r--r--", "rw----r--", "rw-r-----", "rw--w----"})
    void keyThatOthersCanUseIsRefused(String permissions) throws Exception {
        load(NOW, stored("localhost"));
        Path key = directory.resolve("a/b/self-signed.key");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString(permissions));
        assertThatThrownBy(() -> load(NOW, stored("localhost").orInMemory()))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageStartingWith("The key " + key + " can be used by others (" + permissions + "): remove it");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "The self-signed certificate is new at each start")
    void directoryThatCannotBeUsedIsAWarningForOneThatMayBeInMemory() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");
        Certificates source = Certificates.selfSigned("localhost")
                .storedIn(file.resolve("sub"))
                .orInMemory();
        CertificateLoader loader = new CertificateLoader(Clock.systemUTC());
        KeyMaterial first = keep(loader, source).get(0);
        assertThat(keep(loader, source).get(0)).isSameAs(first);
    }

    @Test
    void manyThatStartAtOnceGetTheSameOne() throws Exception {
        ExecutorService starting = Executors.newFixedThreadPool(4);
        try {
            List<Callable<X509Certificate>> starts =
                    Collections.nCopies(4, () -> load(NOW, stored("localhost")).leaf());
            Set<X509Certificate> served = new HashSet<>();
            for (Future<X509Certificate> each : starting.invokeAll(starts)) {
                served.add(each.get());
            }
            assertThat(served).hasSize(1);
        } finally {
            starting.shutdownNow();
            assertThat(starting.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void runningServerRenewsWhatItKeepsAtTwoThirdsOfTheLifetime() {
        AtomicReference<Instant> now = new AtomicReference<>(NOW);
        Clock clock = TestKeys.clock(now::get);
        ServerTls tls = ServerTls.create(List.of(stored("localhost")), TlsProvider.JDK, clock);
        assertThat(tls.hasFiles()).isTrue();
        Instant first = tls.status().get(0).notAfter().orElseThrow();
        List<String> events = new ArrayList<>();
        ProxyObserver observer = Told.to(told -> events.add(told.method()));
        now.set(NOW.plus(Duration.ofDays(264)));
        tls.reload(call -> call.accept(observer));
        assertThat(tls.status().get(0).notAfter()).contains(first);
        now.set(NOW.plus(Duration.ofDays(265)));
        // the first look makes it, the second sees that its files have settled
        tls.reload(call -> call.accept(observer));
        tls.reload(call -> call.accept(observer));
        assertThat(tls.status().get(0).notAfter()).contains(first.plus(Duration.ofDays(265)));
        assertThat(events).containsExactly("certificateReloaded");
        tls.reload(call -> call.accept(observer));
        assertThat(events).hasSize(1);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void onlyTheOwnerCanReadTheKey() throws Exception {
        load(NOW, stored("localhost"));
        Path kept = directory.resolve("a/b");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(kept)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(kept.resolve("self-signed.key"))))
                .isEqualTo("rw-------");
    }

    @Test
    void directoryThatCannotBeMadeIsSaid() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");
        Certificates source = Certificates.selfSigned("localhost").storedIn(file.resolve("sub"));
        assertThatThrownBy(() -> load(NOW, source))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageStartingWith("The self-signed certificate can't be kept in " + file.resolve("sub"));
    }

    @Test
    void updateKeepsWhatNobodyStores() {
        CertificateLoader loader = new CertificateLoader(Clock.systemUTC());
        KeyMaterial first = keep(loader, Certificates.selfSigned("localhost")).get(0);
        List<KeyMaterial> both = keep(loader, Certificates.selfSigned("other"), Certificates.selfSigned("localhost"));
        assertThat(both.get(1)).isSameAs(first);
        assertThat(keep(loader, Certificates.selfSigned("localhost").rsa()).get(0))
                .isNotSameAs(first);
    }

    @Test
    @ExpectedLog(
            logger = "io.webproxy.tls",
            contains = "self-signed certificate, which clients don't trust, for localhost, 127.0.0.1, ")
    void withoutCertificatesTheLocalNamesAreServed() {
        CertificateLoader loader = new CertificateLoader(Clock.systemUTC());
        KeyMaterial entry = keep(loader).get(0);
        assertThat(entry.names()).contains("localhost");
        assertThat(entry.addresses()).contains(IpLiteral.parse("127.0.0.1"), IpLiteral.parse("::1"));
        assertThat(keep(loader).get(0)).isSameAs(entry);
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "No certificates(…) are configured")
    void serverStartsWithoutAnything() {
        ServerTls tls = ServerTls.create(List.of(), TlsProvider.AUTO);
        tls.prepare(List.of()).putInForce();
        tls.prepare(List.of(Certificates.selfSigned("localhost"))).putInForce();
    }
}
