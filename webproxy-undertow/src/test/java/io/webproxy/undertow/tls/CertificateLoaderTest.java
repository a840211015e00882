package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.webproxy.ProxyStartException;
import io.webproxy.spi.IpLiteral;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.engine.HandshakeKeys;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and certificates of all shapes, made by openssl. */
@ExtendWith(LeakCheck.class)
class CertificateLoaderTest {
    @TempDir
    static Path shared;

    @TempDir
    Path directory;

    @BeforeAll
    static void makeKeys() throws Exception {
        Peers.require("openssl");
        for (String kind : List.of("rsa", "ec", "ed25519")) {
            List<String> newKey = switch (kind) {
                case "rsa" -> List.of("-newkey", "rsa:2048");
                case "ec" -> List.of("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
                default -> List.of("-newkey", "ed25519");
            };
            List<String> command = new ArrayList<>(List.of("req", "-x509", "-nodes", "-days", "30"));
            command.addAll(newKey);
            command.addAll(List.of("-subj", "/CN=" + kind, "-addext", "subjectAltName=DNS:" + kind + ".example.com"));
            command.addAll(List.of("-keyout", shared + "/" + kind + ".key", "-out", shared + "/" + kind + ".crt"));
            openssl(command.toArray(new String[0]));
        }
    }

    private static void openssl(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("openssl"));
        command.addAll(Arrays.asList(arguments));
        Peers.Outcome outcome = Peers.run(Duration.ofSeconds(20), command.toArray(new String[0]));
        assertThat(outcome.exitCode()).as(outcome.stderr()).isZero();
    }

    private static Path certificate(String kind) {
        return shared.resolve(kind + ".crt");
    }

    private static List<KeyMaterial> load(Certificates... sources) {
        return new CertificateLoader(Clock.systemUTC())
                .load(List.of(sources), null)
                .all();
    }

    private static void assertRefused(Certificates source, String... parts) {
        assertThatThrownBy(() -> load(source))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageContainingAll(parts)
                .hasMessageNotContainingAny("secret", "guess", "\n", "Exception");
    }

    /** A key in another shape: the arguments of openssl between command and files. */
    private Path reshaped(String kind, String command, String... arguments) throws Exception {
        Path out = directory.resolve(kind + "-reshaped.key");
        List<String> all =
                new ArrayList<>(List.of(command, "-in", shared + "/" + kind + ".key", "-out", out.toString()));
        all.addAll(Arrays.asList(arguments));
        openssl(all.toArray(new String[0]));
        return out;
    }

    @ParameterizedTest
    @ValueSource(strings = {"rsa", "ec", "ed25519"})
    void pkcs8InClear(String kind) {
        KeyMaterial entry = load(Certificates.pem(certificate(kind), shared.resolve(kind + ".key")))
                .get(0);
        assertThat(entry.names()).containsExactly(kind + ".example.com");
        assertThat(entry.keyType()).isEqualTo(kind.equals("ed25519") ? "EdDSA" : kind.toUpperCase(Locale.ROOT));
        assertThat(entry.chain()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rsa", "ec"})
    void traditionalInClear(String kind) throws Exception {
        Path key = reshaped(kind, "pkey", "-traditional");
        assertThat(key).content().contains(kind.equals("rsa") ? "BEGIN RSA PRIVATE KEY" : "BEGIN EC PRIVATE KEY");
        assertThat(load(Certificates.pem(certificate(kind), key))).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-aes-256-cbc", "-aes128", "-des3"})
    void traditionalEncrypted(String cipher) throws Exception {
        for (String kind : List.of("rsa", "ec")) {
            Path key = reshaped(kind, "pkey", "-traditional", cipher, "-passout", "pass:secret");
            assertThat(key).content().contains("Proc-Type: 4,ENCRYPTED");
            assertThat(load(Certificates.pem(certificate(kind), key, "secret"))).hasSize(1);
            assertRefused(Certificates.pem(certificate(kind), key, "guess"), "The password of the key in " + key);
            assertRefused(Certificates.pem(certificate(kind), key), "The key in " + key + " is encrypted");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-v2 aes-256-cbc", "-v2 aes-128-cbc -v2prf hmacWithSHA512", "-v1 PBE-SHA1-3DES", "-scrypt"})
    void pkcs8Encrypted(String how) throws Exception {
        for (String kind : how.startsWith("-scrypt") ? List.of("ed25519") : List.of("rsa", "ec")) {
            List<String> arguments = new ArrayList<>(List.of("-topk8", "-passout", "pass:secret"));
            arguments.addAll(List.of(how.split(" ")));
            Path key = reshaped(kind, "pkcs8", arguments.toArray(new String[0]));
            assertThat(key).content().contains("BEGIN ENCRYPTED PRIVATE KEY");
            assertThat(load(Certificates.pem(certificate(kind), key, "secret"))).hasSize(1);
            assertRefused(Certificates.pem(certificate(kind), key, "guess"), "The password of the key in " + key);
            assertRefused(Certificates.pem(certificate(kind), key), "The key in " + key + " is encrypted");
        }
    }

    @Test
    void oneFileWithTextParametersKeyAndCertificate() throws Exception {
        Path params = directory.resolve("params.pem");
        openssl("ecparam", "-name", "prime256v1", "-out", params.toString());
        Path key = reshaped("ec", "pkey", "-traditional");
        Path all = directory.resolve("all.pem");
        Path text = directory.resolve("text.crt");
        openssl("x509", "-in", certificate("ec").toString(), "-text", "-out", text.toString());
        Files.writeString(
                all,
                "Our key\r\n" + Files.readString(params) + Files.readString(key).replace("\n", "\r\n")
                        + Files.readString(text));
        assertThat(load(Certificates.pem(all, all))).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-legacy"})
    void pkcs12(String how) throws Exception {
        Path file = directory.resolve("key.p12");
        List<String> command = new ArrayList<>(List.of("pkcs12", "-export", "-passout", "pass:secret"));
        command.addAll(List.of("-in", certificate("rsa").toString(), "-inkey", shared + "/rsa.key", "-out", file + ""));
        if (!how.isEmpty()) {
            command.addAll(List.of(how.split(" ")));
        }
        openssl(command.toArray(new String[0]));
        assertThat(load(Certificates.pkcs12(file, "secret")).get(0).names()).containsExactly("rsa.example.com");
        assertRefused(Certificates.pkcs12(file, "guess"), "The password of " + file + " is wrong.");
        assertRefused(Certificates.pkcs12(file, ""), file + " needs a password");
    }

    @Test
    void pkcs12WithoutPassword() throws Exception {
        Path file = directory.resolve("open.p12");
        openssl(
                "pkcs12",
                "-export",
                "-passout",
                "pass:",
                "-in",
                certificate("ec").toString(),
                "-inkey",
                shared + "/ec.key",
                "-out",
                file.toString());
        assertThat(load(Certificates.pkcs12(file, ""))).hasSize(1);
    }

    @Test
    void pkcs12GivesAllItsKeys() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (String kind : List.of("rsa", "ec")) {
            KeyMaterial entry = load(Certificates.pem(certificate(kind), shared.resolve(kind + ".key")))
                    .get(0);
            store.setKeyEntry(
                    kind, entry.key(), "secret".toCharArray(), entry.chain().toArray(new Certificate[0]));
        }
        Path file = directory.resolve("two.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, "secret".toCharArray());
        }
        assertThat(load(Certificates.pkcs12(file, "secret")))
                .extracting(KeyMaterial::keyType)
                .containsExactlyInAnyOrder("RSA", "EC");
    }

    @Test
    void whatCannotBeUsedIsOneSentenceWithTheFile() throws Exception {
        Path key = shared.resolve("ec.key");
        Path missing = directory.resolve("missing");
        Path garbage = Files.writeString(directory.resolve("garbage"), "\0\1garbage");
        Path damaged = Files.writeString(
                directory.resolve("damaged"),
                "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n"
                        + "-----BEGIN PRIVATE KEY-----\nZ2FyYmFnZQ==\n-----END PRIVATE KEY-----\n");
        Path cut = Files.writeString(
                directory.resolve("cut"), Files.readString(certificate("ec")).substring(0, 200));

        assertRefused(Certificates.pem(missing, key), missing + " doesn't exist");
        assertRefused(Certificates.pem(certificate("ec"), missing), missing + " doesn't exist", "key");
        assertRefused(Certificates.pem(directory, key), directory + " is a directory");
        assertRefused(Certificates.pem(key, key), "There is no certificate in " + key);
        assertRefused(
                Certificates.pem(certificate("ec"), certificate("ec")), "There is no key in " + certificate("ec"));
        assertRefused(Certificates.pem(garbage, key), "There is no certificate in " + garbage);
        assertRefused(Certificates.pem(damaged, key), damaged + " is damaged");
        assertRefused(Certificates.pem(certificate("ec"), damaged), "The key in " + damaged + " can't be read");
        assertRefused(Certificates.pem(cut, key), cut + " is damaged");
        assertRefused(
                Certificates.pem(certificate("ec"), shared.resolve("rsa.key")),
                "The key in " + shared.resolve("rsa.key") + " doesn't belong to the certificate in "
                        + certificate("ec"));
        assertRefused(Certificates.pkcs12(garbage, "secret"), garbage + " can't be read", "no PKCS#12 file");
        assertRefused(Certificates.pkcs12(missing, "secret"), missing + " doesn't exist");
    }

    @Test
    void otherKeyOfTheSameKindIsRefused() throws Exception {
        Path other = directory.resolve("other.key");
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other.toString());
        assertRefused(Certificates.pem(certificate("ec"), other), "The key in " + other + " doesn't belong");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void unreadableFileIsSaid() throws Exception {
        Path file = Files.copy(shared.resolve("ec.key"), directory.resolve("locked"));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        assumeFalse(Files.isReadable(file), "root reads all");
        assertRefused(Certificates.pem(certificate("ec"), file), file + " may not be read");
    }

    @Test
    void notYetValidIsRefused() {
        Certificates source = Certificates.pem(certificate("ec"), shared.resolve("ec.key"));
        Clock before = Clock.fixed(Instant.now().minus(Duration.ofDays(1)), ZoneOffset.UTC);
        assertThatThrownBy(() -> new CertificateLoader(before).load(List.of(source), null))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageStartingWith("The certificate in " + certificate("ec") + " isn't valid before 20");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = ": renew it; it is served all the same, for there is no other")
    void expiredOneIsServedWithAWarningWhereThereIsNoOther() {
        Certificates source = Certificates.pem(certificate("ec"), shared.resolve("ec.key"));
        CertificateLoader loader = new CertificateLoader(inAMonth());
        LoadedSources loaded = loader.load(List.of(source), null);
        KeyMaterial expired = loaded.all().get(0);
        assertThat(served(loaded, loader)).containsExactly(expired);
        assertThatThrownBy(() -> loader.read(source, List.of()))
                .isInstanceOf(ProxyStartException.class)
                .hasMessageStartingWith("The certificate in " + certificate("ec") + " expired on 20")
                .hasMessageEndingWith(": renew it.");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = ": renew it; another certificate is served for its names")
    void expiredOneStandsBackForAnother() {
        Certificates source = Certificates.pem(certificate("ec"), shared.resolve("ec.key"));
        CertificateLoader loader = new CertificateLoader(inAMonth());
        KeyMaterial old = new CertificateLoader(Clock.systemUTC())
                .load(List.of(source), null)
                .all()
                .get(0);
        String[] names = Stream.concat(
                        old.names().stream(), old.addresses().stream().map(IpLiteral::text))
                .toArray(String[]::new);
        LoadedSources loaded = loader.load(List.of(source, Certificates.selfSigned(names)), null);
        assertThat(served(loaded, loader).get(0)).isSameAs(loaded.all().get(1));
    }

    private static Clock inAMonth() {
        return Clock.fixed(Instant.now().plus(Duration.ofDays(31)), ZoneOffset.UTC);
    }

    private static List<KeyMaterial> served(LoadedSources loaded, CertificateLoader loader) {
        return loaded.chooser(loader.now(), provider -> hello -> List.of()).choose(HandshakeKeys.UNKNOWN);
    }

    private static HeldCertificate authority(String name, HeldCertificate by) {
        HeldCertificate.Builder builder =
                new HeldCertificate.Builder().commonName(name).certificateAuthority(2);
        return (by == null ? builder : builder.signedBy(by)).build();
    }

    private Path write(HeldCertificate... certificates) throws Exception {
        StringBuilder text = new StringBuilder();
        for (HeldCertificate certificate : certificates) {
            text.append(certificate.certificatePem());
        }
        return Files.writeString(directory.resolve("chain.pem"), text);
    }

    @Test
    void chainIsPutInOrder() throws Exception {
        HeldCertificate root = authority("root", null);
        HeldCertificate upper = authority("upper", root);
        HeldCertificate lower = authority("lower", upper);
        HeldCertificate leaf =
                new HeldCertificate.Builder().commonName("leaf").signedBy(lower).build();
        Path key = Files.writeString(directory.resolve("leaf.key"), leaf.privateKeyPkcs8Pem());
        KeyMaterial entry = load(Certificates.pem(write(root, upper, leaf, lower, leaf), key))
                .get(0);
        assertThat(entry.chain())
                .containsExactly(leaf.certificate(), lower.certificate(), upper.certificate(), root.certificate());
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "1 certificate(s) that don't belong to the chain of CN=leaf")
    void strangerInTheChainIsSaidAndLeftOut() throws Exception {
        HeldCertificate root = authority("root", null);
        HeldCertificate namesake = authority("root", null);
        HeldCertificate leaf =
                new HeldCertificate.Builder().commonName("leaf").signedBy(root).build();
        Path key = Files.writeString(directory.resolve("leaf.key"), leaf.privateKeyPkcs8Pem());
        KeyMaterial entry =
                load(Certificates.pem(write(leaf, namesake, root), key)).get(0);
        assertThat(entry.chain()).containsExactly(leaf.certificate(), root.certificate());
    }

    @Test
    void nothingSecretShows() {
        Certificates source = Certificates.pem(certificate("ec"), shared.resolve("ec.key"), "secret");
        assertThat(source + " " + load(source)).doesNotContain("secret").contains("EC certificate for ec.example.com");
    }
}
