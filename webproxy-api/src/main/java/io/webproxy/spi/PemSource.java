package io.webproxy.spi;

import io.webproxy.tls.Certificates;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** PEM files: a certificate chain, leaf first, and a key (PKCS#8, PKCS#1 or SEC1, also encrypted). */
public final class PemSource implements Certificates {
    private final Path certificates;
    private final Path key;
    private final @Nullable String password;

    /** A source of these files; {@code password} is null for a key without one. */
    public PemSource(Path certificates, Path key, @Nullable String password) {
        this.certificates = certificates;
        this.key = key;
        this.password = password;
    }

    /** The file of the certificate chain. */
    public Path certificates() {
        return certificates;
    }

    /** The file of the key; it may be the same. */
    public Path key() {
        return key;
    }

    /** The key's password. */
    public Optional<String> password() {
        return Optional.ofNullable(password);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PemSource that
                && certificates.equals(that.certificates)
                && key.equals(that.key)
                && Objects.equals(password, that.password);
    }

    @Override
    public int hashCode() {
        return Objects.hash(certificates, key, password);
    }

    @Override
    public String toString() {
        return "pem(" + certificates + ", " + key + ")";
    }
}
