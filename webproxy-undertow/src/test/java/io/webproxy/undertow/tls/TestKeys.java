package io.webproxy.undertow.tls;

import io.webproxy.route.Upstream;
import io.webproxy.spi.PemSource;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.tls.keys.KeyFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import okhttp3.tls.HeldCertificate;

/** A root, an intermediate, and leafs as files in a directory. */
final class TestKeys {
    private static final HeldCertificate ROOT = new HeldCertificate.Builder()
            .commonName("root")
            .certificateAuthority(1)
            .build();
    private static final HeldCertificate INTERMEDIATE = new HeldCertificate.Builder()
            .commonName("intermediate")
            .certificateAuthority(0)
            .signedBy(ROOT)
            .build();

    /** Of all leafs with RSA: to find its primes takes longer than all the rest of a test. */
    private static final KeyPair RSA =
            new HeldCertificate.Builder().rsa2048().build().keyPair();

    private final Path directory;
    final Path trust;

    TestKeys(Path directory) throws IOException {
        this.directory = directory;
        this.trust = Files.writeString(directory.resolve("root.pem"), ROOT.certificatePem());
    }

    /** What an upstream needs that is trusted by these, or by the JVM's trust store. */
    static UpstreamKeys trusting(Optional<Path> pem) {
        Upstream upstream = Upstream.of("https://localhost");
        return UpstreamKeys.load(
                pem.map(TrustStore::pem).map(upstream::withTrust).orElse(upstream));
    }

    /** A PKCS#12 file with the keys of these. */
    static Path store(Path file, String password, List<Certificates> sources) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (Certificates source : sources) {
            KeyMaterial entry = KeyFiles.read((PemSource) source, Instant.now());
            store.setKeyEntry(
                    "key-" + store.size(),
                    entry.key(),
                    password.toCharArray(),
                    entry.chain().toArray(new X509Certificate[0]));
        }
        return write(store, file, password);
    }

    /** A PKCS#12 file that trusts this. */
    static Path trustStore(Path file, String password, X509Certificate trusted) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("trusted", trusted);
        return write(store, file, password);
    }

    private static Path write(KeyStore store, Path file, String password) throws Exception {
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, password.toCharArray());
        }
        return file;
    }

    /** A clock that a test turns. */
    static Clock clock(Supplier<Instant> now) {
        return new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now.get();
            }
        };
    }

    /** An EC leaf for these names; the first is its common name. */
    Certificates ec(String... names) throws IOException {
        return source(builder(names).ecdsa256().build());
    }

    /** An RSA leaf for these names. */
    Certificates rsa(String... names) throws IOException {
        return source(builder(names).keyPair(RSA).build());
    }

    HeldCertificate.Builder builder(String... names) {
        HeldCertificate.Builder builder =
                new HeldCertificate.Builder().commonName(names[0]).signedBy(INTERMEDIATE);
        for (String name : names) {
            builder.addSubjectAlternativeName(name);
        }
        return builder;
    }

    /** With the intermediate. */
    Certificates source(HeldCertificate leaf) throws IOException {
        return source(leaf, leaf.certificatePem() + INTERMEDIATE.certificatePem());
    }

    Certificates alone(HeldCertificate leaf) throws IOException {
        return source(leaf, leaf.certificatePem());
    }

    private Certificates source(HeldCertificate leaf, String certificates) throws IOException {
        Path chain = Files.createTempFile(directory, "chain", ".pem");
        Files.writeString(chain, certificates);
        Path key = Files.createTempFile(directory, "key", ".pem");
        Files.writeString(key, leaf.privateKeyPkcs8Pem());
        return Certificates.pem(chain, key);
    }
}
