package io.webproxy.spi;

import io.webproxy.tls.Certificates;
import java.nio.file.Path;
import java.util.Objects;

/** A PKCS#12 file, whose key entries are all served. */
public final class Pkcs12Source implements Certificates {
    private final Path file;
    private final String password;

    /** A source of this file; the password is empty for none. */
    public Pkcs12Source(Path file, String password) {
        this.file = file;
        this.password = password;
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** Its password, empty for none. */
    public String password() {
        return password;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Pkcs12Source that && file.equals(that.file) && password.equals(that.password);
    }

    @Override
    public int hashCode() {
        return Objects.hash(file, password);
    }

    @Override
    public String toString() {
        return "pkcs12(" + file + ")";
    }
}
