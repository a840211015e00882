package io.webproxy.tls;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A self-signed certificate for names and IP addresses, made by the server. */
public final class SelfSigned implements Certificates {
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}");

    private final List<String> names;
    private final boolean rsa;
    private final @Nullable Path directory;
    private final String fileName;
    private final boolean orInMemory;

    SelfSigned(List<String> names) {
        this(names, false, null, "self-signed", false);
    }

    private SelfSigned(List<String> names, boolean rsa, @Nullable Path directory, String fileName, boolean orInMemory) {
        this.names = List.copyOf(names);
        this.rsa = rsa;
        this.directory = directory;
        this.fileName = fileName;
        this.orInMemory = orInMemory;
    }

    /**
     * DNS names and IP addresses, at least one; an address becomes an {@code iPAddress} entry (RFC 5280 section
     * 4.2.1.6).
     */
    public List<String> names() {
        return names;
    }

    /** Whether the key is RSA 3072 in place of EC P-256. */
    public boolean isRsa() {
        return rsa;
    }

    /** The directory of key and certificate; empty if they aren't stored. */
    public Optional<Path> directory() {
        return Optional.ofNullable(directory);
    }

    /** The name of its files in the directory, without {@code .crt} and {@code .key}. */
    public String fileName() {
        return fileName;
    }

    /** Whether it is made in memory if the directory is unusable. */
    public boolean isOrInMemory() {
        return orInMemory;
    }

    /** The same with an RSA 3072 key, for clients without elliptic curves. */
    public SelfSigned rsa() {
        return new SelfSigned(names, true, directory, fileName, orInMemory);
    }

    /**
     * The same, stored in a directory and reused for the same names and key type until two thirds of its lifetime are
     * over: {@code self-signed.crt} and {@code self-signed.key}, the latter readable by the owner only. A missing
     * directory is created, for the owner only. A key that others can read fails the start. Processes that start at the
     * same time get the same certificate.
     */
    public SelfSigned storedIn(Path keptIn) {
        return storedIn(keptIn, "self-signed");
    }

    /**
     * The same with another file name, so that a directory can hold several.
     *
     * @param name letters, digits, {@code . _ -}; {@code .crt} and {@code .key} are added
     * @throws IllegalArgumentException if it is anything else
     */
    public SelfSigned storedIn(Path keptIn, String name) {
        Objects.requireNonNull(keptIn, "directory");
        if (!FILE_NAME.matcher(Objects.requireNonNull(name, "fileName")).matches()) {
            throw new IllegalArgumentException(
                    "fileName: " + name + " (expected: 1-200 letters, digits, . _ - without a dot at the start)");
        }
        return new SelfSigned(names, rsa, keptIn, name, orInMemory);
    }

    /** The same, made in memory if the directory is unusable, with one WARN; without this the start fails. */
    public SelfSigned orInMemory() {
        return new SelfSigned(names, rsa, directory, fileName, true);
    }

    @Override
    public String toString() {
        return "selfSigned(" + String.join(", ", names) + ")";
    }
}
