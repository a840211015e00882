package io.webproxy.tls;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file of trusted certificates: for clients, see {@link ClientCertificates}, or for an upstream. Immutable, equal if
 * file and password are; the password never shows in {@code toString}.
 *
 * <p>The file is read when the server starts and at every update. If it can't be read, or has no certificate, the start
 * or update fails with one sentence.
 */
public final class TrustStore {
    private final Path file;
    private final @Nullable String password;

    private TrustStore(Path file, @Nullable String password) {
        this.file = file;
        this.password = password;
    }

    /** The certificates of a PEM file. */
    public static TrustStore pem(Path file) {
        return new TrustStore(Objects.requireNonNull(file, "file"), null);
    }

    /**
     * The trusted certificates of a PKCS#12 file.
     *
     * @param password empty for none
     */
    public static TrustStore pkcs12(Path file, String password) {
        return new TrustStore(Objects.requireNonNull(file, "file"), Objects.requireNonNull(password, "password"));
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** The password of a PKCS#12 file; absent for a PEM file. */
    public Optional<String> password() {
        return Optional.ofNullable(password);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TrustStore that && file.equals(that.file) && Objects.equals(password, that.password);
    }

    @Override
    public int hashCode() {
        return Objects.hash(file, password);
    }

    @Override
    public String toString() {
        return (password == null ? "pem(" : "pkcs12(") + file + ")";
    }
}
