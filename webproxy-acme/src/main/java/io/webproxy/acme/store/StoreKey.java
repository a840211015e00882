package io.webproxy.acme.store;

import io.webproxy.acme.CertificateStore;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Keys of a {@link CertificateStore} as files: each segment is a directory or file of its own name, with {@code +} for
 * {@code *} and {@code =} for {@code :}, which file systems or shells treat specially. The mapping is lossless, because
 * no key contains {@code +} or {@code =}.
 *
 * <p>No segment starts with a dot: so no key leaves the directory, and none collides with the store's own files, which
 * all do.
 */
final class StoreKey {
    private static final Pattern SEGMENT = Pattern.compile("[A-Za-z0-9_*:-][A-Za-z0-9._*:-]{0,252}");

    private StoreKey() {}

    /**
     * The file of a key.
     *
     * @throws IllegalArgumentException if it isn't a valid key
     */
    static Path file(Path directory, String key) {
        Path file = directory;
        for (String segment : key.split("/", -1)) {
            if (!SEGMENT.matcher(segment).matches()) {
                throw new IllegalArgumentException("key: " + key
                        + " (expected: segments of letters, digits, . - _ * and :, no dot at the"
                        + " start, joined by slashes)");
            }
            file = file.resolve(segment.replace('*', '+').replace(':', '='));
        }
        return file;
    }

    /**
     * The directory of the keys with a prefix.
     *
     * @throws IllegalArgumentException if it is neither empty nor ends with a slash
     */
    static Path directory(Path directory, String prefix) {
        if (prefix.isEmpty()) {
            return directory;
        }
        if (!prefix.endsWith("/")) {
            throw new IllegalArgumentException("prefix: " + prefix + " (expected: empty, or a slash at the end)");
        }
        return file(directory, prefix.substring(0, prefix.length() - 1));
    }

    /** The key of a file; empty if it isn't the file of a key. */
    static Optional<String> of(Path directory, Path file) {
        StringBuilder key = new StringBuilder();
        for (Path name : directory.relativize(file)) {
            String segment = name.toString();
            String original = segment.replace('+', '*').replace('=', ':');
            if (segment.contains("*")
                    || segment.contains(":")
                    || !SEGMENT.matcher(original).matches()) {
                return Optional.empty();
            }
            key.append(key.length() == 0 ? "" : "/").append(original);
        }
        return Optional.of(key.toString());
    }
}
