package io.webproxy.undertow.tls;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Told;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.Certificates;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Files that change while they are served; the looks at them are made here. */
@ExtendWith(LeakCheck.class)
class FileReloadTest {
    private static final HeldCertificate A = leaf("a.example");
    private static final HeldCertificate B = leaf("b.example");
    private static final HeldCertificate C = leaf("c.example");
    private static final HeldCertificate EXPIRED = new HeldCertificate.Builder()
            .addSubjectAlternativeName("a.example")
            .validityInterval(0, Duration.ofDays(1).toMillis())
            .build();

    @TempDir
    Path directory;

    private final List<Told> events = new ArrayList<>();
    private final ProxyObserver observer = Told.to(events::add);

    private static HeldCertificate leaf(String name) {
        return new HeldCertificate.Builder()
                .commonName(name)
                .addSubjectAlternativeName(name)
                .build();
    }

    private static void write(Path directory, HeldCertificate leaf) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("fullchain.pem"), leaf.certificatePem());
        Files.writeString(directory.resolve("privkey.pem"), leaf.privateKeyPkcs8Pem());
    }

    private static Certificates pem(Path directory) {
        return Certificates.pem(directory.resolve("fullchain.pem"), directory.resolve("privkey.pem"));
    }

    private ServerTls serve(Certificates... sources) {
        return ServerTls.create(List.of(sources), TlsProvider.JDK);
    }

    /** The names that are served after a look at the files. */
    private List<String> look(ServerTls tls) {
        events.clear();
        tls.reload(call -> call.accept(observer));
        return served(tls);
    }

    private static List<String> served(ServerTls tls) {
        return tls.status().stream()
                .map(CertificateStatus::names)
                .flatMap(List::stream)
                .toList();
    }

    private void assertReloaded(String name) {
        assertThat(events).singleElement().satisfies(told -> {
            CertificateEvent event = told.as(CertificateEvent.class);
            assertThat(told.method()).isEqualTo("certificateReloaded");
            assertThat(event.names()).containsExactly(name);
            assertThat(event.notAfter()).isPresent();
        });
    }

    private static void swapLink(Path link, Path target) throws IOException {
        Path beside = Files.createSymbolicLink(link.resolveSibling(link.getFileName() + ".new"), target);
        Files.move(beside, link, ATOMIC_MOVE, REPLACE_EXISTING);
    }

    @Test
    void changedPairIsServedAndAnotherLookIsQuiet() throws Exception {
        write(directory, A);
        ServerTls tls = serve(pem(directory), Certificates.selfSigned("own.example"));
        assertThat(look(tls)).containsExactly("a.example", "own.example");
        assertThat(events).isEmpty();
        write(directory, B);
        assertThat(look(tls)).containsExactly("b.example", "own.example");
        assertReloaded("b.example");
        assertThat(look(tls)).containsExactly("b.example", "own.example");
        assertThat(events).isEmpty();
    }

    @Test
    void atomicRenameIsSeen() throws Exception {
        write(directory, A);
        ServerTls tls = serve(Certificates.firstOf(Certificates.forNames(pem(directory), "x.example")));
        write(directory.resolve("new"), B);
        for (String name : List.of("privkey.pem", "fullchain.pem")) {
            Files.move(directory.resolve("new").resolve(name), directory.resolve(name), ATOMIC_MOVE, REPLACE_EXISTING);
        }
        assertThat(look(tls)).containsExactly("b.example");
        assertReloaded("b.example");
    }

    @Test
    void linksOfCertbotAreFollowed() throws Exception {
        Path live = Files.createDirectories(directory.resolve("live"));
        for (int i = 1; i < 3; i++) {
            write(directory.resolve("archive" + i), i == 1 ? A : B);
        }
        for (String name : List.of("privkey.pem", "fullchain.pem")) {
            swapLink(live.resolve(name), Path.of("../archive1/" + name));
        }
        ServerTls tls = serve(pem(live));
        for (String name : List.of("privkey.pem", "fullchain.pem")) {
            swapLink(live.resolve(name), Path.of("../archive2/" + name));
        }
        assertThat(look(tls)).containsExactly("b.example");
    }

    @Test
    void linkedDirectoryOfKubernetesIsFollowed() throws Exception {
        write(directory.resolve("..2026_1"), A);
        write(directory.resolve("..2026_2"), B);
        swapLink(directory.resolve("..data"), Path.of("..2026_1"));
        for (String name : List.of("privkey.pem", "fullchain.pem")) {
            Files.createSymbolicLink(directory.resolve(name), Path.of("..data", name));
        }
        ServerTls tls = serve(pem(directory));
        swapLink(directory.resolve("..data"), Path.of("..2026_2"));
        assertThat(look(tls)).containsExactly("b.example");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "doesn't belong to the certificate")
    @ExpectedLog(logger = "io.webproxy.tls", contains = "doesn't exist")
    void pairThatDoesNotMatchIsNeverServedAndSaidOnce() throws Exception {
        write(directory, A);
        ServerTls tls = serve(pem(directory));
        Files.writeString(directory.resolve("privkey.pem"), B.privateKeyPkcs8Pem());
        assertThat(look(tls)).containsExactly("a.example");
        assertThat(events).singleElement().satisfies(told -> {
            CertificateEvent event = told.as(CertificateEvent.class);
            assertThat(told.method()).isEqualTo("certificateFailed");
            assertThat(event.names()).containsExactly("a.example");
            assertThat(event.detail()).contains("doesn't belong to the certificate");
        });
        assertThat(tls.status().get(0).lastError())
                .hasValueSatisfying(error -> assertThat(error).contains("doesn't belong"));
        assertThat(look(tls)).containsExactly("a.example");
        assertThat(events).isEmpty();
        // another failure, then the first one again
        Files.delete(directory.resolve("privkey.pem"));
        look(tls);
        assertThat(events).hasSize(1);
        Files.writeString(directory.resolve("privkey.pem"), B.privateKeyPkcs8Pem());
        look(tls);
        assertThat(events).isEmpty();
        Files.writeString(directory.resolve("fullchain.pem"), B.certificatePem());
        assertThat(look(tls)).containsExactly("b.example");
        assertReloaded("b.example");
        assertThat(tls.status().get(0).lastError()).isEmpty();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "the previous one is still served")
    void noHalfWrittenFileIsServed() throws Exception {
        write(directory, A);
        ServerTls tls = serve(pem(directory));
        String whole = B.certificatePem() + B.privateKeyPkcs8Pem();
        for (String name : List.of("privkey.pem", "fullchain.pem")) {
            for (int length = 0; length < whole.length(); length += 37) {
                Files.writeString(directory.resolve(name), whole.substring(0, length));
                assertThat(look(tls)).as(name + " to " + length).containsExactly("a.example");
            }
        }
        // one and the same file may hold both
        Files.writeString(directory.resolve("privkey.pem"), whole);
        Files.writeString(directory.resolve("fullchain.pem"), whole);
        assertThat(look(tls)).containsExactly("b.example");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "doesn't belong to the certificate")
    void whatIsPutBackIsFine() throws Exception {
        write(directory, A);
        ServerTls tls = serve(pem(directory));
        Files.writeString(directory.resolve("privkey.pem"), B.privateKeyPkcs8Pem());
        look(tls);
        write(directory, A);
        assertThat(look(tls)).containsExactly("a.example");
        assertThat(events).isEmpty();
        assertThat(tls.status().get(0).lastError()).isEmpty();
    }

    @Test
    void keyStoreIsReadAgain() throws Exception {
        Path file = directory.resolve("keys.p12");
        store(file, A);
        ServerTls tls = serve(Certificates.pkcs12(file, "secret"));
        store(file, B, C);
        assertThat(look(tls)).containsExactlyInAnyOrder("b.example", "c.example");
        assertThat(events).hasSize(1);
        assertThat(events.get(0).as(CertificateEvent.class).names())
                .containsExactlyInAnyOrder("b.example", "c.example");
    }

    private static void store(Path file, HeldCertificate... leafs) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (int i = 0; i < leafs.length; i++) {
            HeldCertificate leaf = leafs[i];
            store.setKeyEntry("key" + i, leaf.keyPair().getPrivate(), "secret".toCharArray(), new Certificate[] {
                leaf.certificate()
            });
        }
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, "secret".toCharArray());
        }
    }

    @Test
    void updateReadsAtOnceAndTheNextLookIsQuiet() throws Exception {
        write(directory, A);
        Certificates source = pem(directory);
        ServerTls tls = serve(source);
        write(directory, B);
        tls.prepare(List.of(source)).putInForce();
        assertThat(served(tls)).containsExactly("b.example");
        assertThat(look(tls)).containsExactly("b.example");
        assertThat(events).isEmpty();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "doesn't belong to the certificate")
    void fileThatBreaksWhileItIsServedRefusesNoUpdateAboutSomethingElse() throws Exception {
        write(directory, A);
        ServerTls tls = serve(pem(directory));
        Files.writeString(directory.resolve("privkey.pem"), B.privateKeyPkcs8Pem());
        for (int i = 0; i < 2; i++) {
            tls.prepare(List.of(pem(directory))).putInForce();
            assertThat(served(tls)).containsExactly("a.example");
            assertThat(tls.status().get(0).lastError())
                    .hasValueSatisfying(error -> assertThat(error).contains("doesn't belong"));
        }
        Path other = directory.resolve("other");
        write(other, B);
        Files.writeString(other.resolve("privkey.pem"), C.privateKeyPkcs8Pem());
        assertThatThrownBy(() -> tls.prepare(List.of(pem(directory), pem(other))))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageContaining("doesn't belong to the certificate");
        write(directory, B);
        assertThat(look(tls)).containsExactly("b.example");
    }

    /** An update that isn't about the certificates: what is served stays, and a sentence says why. */
    private void assertUpdateKeeps(ServerTls tls, Certificates source, String why) {
        List<CertificateStatus> before = tls.status();
        for (int i = 0; i < 2; i++) {
            tls.prepare(List.of(source)).putInForce();
            CertificateStatus after = tls.status().get(0);
            assertThat(after.names()).isEqualTo(before.get(0).names());
            assertThat(after.notAfter()).isEqualTo(before.get(0).notAfter());
            assertThat(after.lastError())
                    .hasValueSatisfying(error -> assertThat(error).contains(why));
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = " expired on ")
    void expiredCertificateReplacesNoValidOneInAnUpdate() throws Exception {
        write(directory, A);
        ServerTls tls = serve(pem(directory));
        write(directory, EXPIRED);
        look(tls);
        assertUpdateKeeps(tls, pem(directory), " expired on ");
        write(directory, B);
        assertThat(look(tls)).containsExactly("b.example");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = " expired on ")
    void expiredCertificateReplacesNoValidOneOfAKeyStoreInAnUpdate() throws Exception {
        Path file = directory.resolve("keys.p12");
        store(file, A);
        Certificates source = Certificates.pkcs12(file, "secret");
        ServerTls tls = serve(source);
        store(file, EXPIRED);
        assertUpdateKeeps(tls, Certificates.pkcs12(file, "secret"), " expired on ");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "it is served all the same")
    void oneThatWasExpiredAtTheStartRefusesNoUpdate() throws Exception {
        write(directory, EXPIRED);
        ServerTls tls = serve(pem(directory));
        tls.prepare(List.of(pem(directory))).putInForce();
        assertThat(tls.status().get(0).lastError()).isEmpty();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "is of a kind that Conscrypt can't serve")
    void keyThatCannotBeServedRefusesNoUpdateAboutSomethingElse() throws Exception {
        HeldCertificate unservable = new HeldCertificate.Builder()
                .addSubjectAlternativeName("a.example")
                .keyPair(KeyPairGenerator.getInstance("Ed25519").generateKeyPair())
                .signedBy(A)
                .build();
        write(directory, A);
        ServerTls tls = ServerTls.create(List.of(pem(directory)), TlsProvider.AUTO);
        assertThat(tls.providerName()).isEqualTo("Conscrypt");
        write(directory, unservable);
        assertUpdateKeeps(tls, pem(directory), "can't serve");
        Path other = directory.resolve("other");
        write(other, unservable);
        assertThatThrownBy(() -> tls.prepare(List.of(pem(directory), pem(other))))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageContaining("can't serve");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    @ExpectedLog(logger = "io.webproxy.tls", contains = "can be used by others")
    void keptKeyThatOthersCanReadRefusesNoUpdateAboutSomethingElse() throws Exception {
        ServerTls tls = serve(Certificates.selfSigned("own.example").storedIn(directory));
        Files.setPosixFilePermissions(
                directory.resolve("self-signed.key"), PosixFilePermissions.fromString("rw-r--r--"));
        assertUpdateKeeps(tls, Certificates.selfSigned("own.example").storedIn(directory), "can be used by others");
        assertThatThrownBy(() -> tls.prepare(
                        List.of(Certificates.selfSigned("new.example").storedIn(directory))))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageContaining("can be used by others");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "can't be kept in")
    void directoryThatCannotTakeARenewedCertificateRefusesNoUpdate() throws Exception {
        Path kept = directory.resolve("kept");
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        Clock clock = TestKeys.clock(now::get);
        List<Certificates> sources = List.of(
                Certificates.selfSigned("own.example").storedIn(kept),
                Certificates.selfSigned("own.example").storedIn(kept).orInMemory());
        for (Certificates source : sources) {
            ServerTls tls = ServerTls.create(List.of(source), TlsProvider.JDK, clock);
            now.updateAndGet(before -> before.plus(Duration.ofDays(280)));
            Path away = Files.move(kept, directory.resolve("away"));
            Files.writeString(kept, "");
            assertUpdateKeeps(tls, source, "can't be kept in");
            Files.delete(kept);
            Files.move(away, kept);
            look(tls);
            look(tls);
            assertThat(tls.status().get(0).lastError()).isEmpty();
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "doesn't belong to the certificate")
    void whatAnUpdateFindsBrokenIsToldOnce() throws Exception {
        write(directory, A);
        ServerTls tls = serve(pem(directory));
        Files.writeString(directory.resolve("privkey.pem"), B.privateKeyPkcs8Pem());
        // one that isn't put in force tells nothing
        tls.prepare(List.of(pem(directory)));
        tls.tellFailures(call -> call.accept(observer));
        assertThat(events).isEmpty();
        tls.prepare(List.of(pem(directory))).putInForce();
        tls.prepare(List.of(pem(directory))).putInForce();
        assertThat(look(tls)).containsExactly("a.example");
        assertThat(events).singleElement().satisfies(told -> {
            assertThat(told.method()).isEqualTo("certificateFailed");
            assertThat(told.as(CertificateEvent.class).names()).containsExactly("a.example");
        });
        look(tls);
        assertThat(events).isEmpty();
    }
}
