package io.webproxy.tls;

import io.webproxy.spi.FirstOfSource;
import io.webproxy.spi.NamedSource;
import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Server certificates and their keys: from files, self-signed, or by a {@link CertificateProvider}, which chooses them
 * itself. Files are read when the server starts. Passwords never show in {@code toString}.
 */
public sealed interface Certificates
        permits CertificateProvider, SelfSigned, PemSource, Pkcs12Source, FirstOfSource, NamedSource {
    /** PEM files, with a key that has no password. */
    static Certificates pem(Path certificates, Path key) {
        return new PemSource(
                Objects.requireNonNull(certificates, "certificates"), Objects.requireNonNull(key, "key"), null);
    }

    /** PEM files, with an encrypted key. */
    static Certificates pem(Path certificates, Path key, String password) {
        return new PemSource(
                Objects.requireNonNull(certificates, "certificates"),
                Objects.requireNonNull(key, "key"),
                Objects.requireNonNull(password, "password"));
    }

    /**
     * A PKCS#12 file.
     *
     * @param password empty for none
     */
    static Certificates pkcs12(Path file, String password) {
        return new Pkcs12Source(Objects.requireNonNull(file, "file"), Objects.requireNonNull(password, "password"));
    }

    /**
     * A self-signed certificate: EC P-256, valid for 397 days, new at each start unless it is
     * {@linkplain SelfSigned#storedIn stored}.
     *
     * @param names DNS names and IP addresses, at least one
     * @throws IllegalArgumentException if there is none, or one is neither
     */
    static SelfSigned selfSigned(String... names) {
        return new SelfSigned(CertificateNames.checked("selfSigned", names));
    }

    /**
     * The names in the self-signed certificate of a server without certificates: {@code localhost} and its addresses,
     * the name of the host, and the addresses of the network interfaces that are up, in a fixed order. Queries the
     * system: not for an IO thread.
     */
    static List<String> localNames() {
        return LocalNames.find();
    }

    /**
     * Combines several sources: the first one with a certificate for a client's name serves it, otherwise the first one
     * with any certificate. So a self-signed certificate after a provider is served until the provider has obtained its
     * own.
     *
     * @throws IllegalArgumentException if there is none
     */
    static Certificates firstOf(Certificates... sources) {
        List<Certificates> all = new ArrayList<>();
        for (Certificates source : Objects.requireNonNull(sources, "sources")) {
            all.add(Objects.requireNonNull(source, "source"));
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("firstOf: no source (expected: at least one)");
        }
        return new FirstOfSource(all);
    }

    /**
     * Limits a source to these names, whatever its certificates are for.
     *
     * @param names DNS names, wildcards such as {@code *.example.com} (one label) and IP addresses, at least one
     * @throws IllegalArgumentException if there is none, or one is neither
     */
    static Certificates forNames(Certificates source, String... names) {
        Objects.requireNonNull(source, "source");
        return new NamedSource(CertificateNames.checked("forNames", names), source);
    }
}
