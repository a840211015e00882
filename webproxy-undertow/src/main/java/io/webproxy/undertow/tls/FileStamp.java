package io.webproxy.undertow.tls;

import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.SelfSigned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Identifies the version of a file without reading it: if the file is replaced, by a link or by content, its stamp
 * differs.
 *
 * @param real the target of links; null if there is no file
 * @param size in bytes; -1 if there is no file
 * @param modified when it was last written
 * @param key identifies it in the file system, if the file system has such a key
 */
public record FileStamp(
        @Nullable Path real,
        long size,
        @Nullable FileTime modified,
        @Nullable Object key) {
    private static final FileStamp NOTHING = new FileStamp(null, -1, null, null);

    /** The stamps of all files of a source; empty if it has none. */
    static List<FileStamp> of(Certificates source) {
        if (source instanceof PemSource pem) {
            return List.of(of(pem.certificates()), of(pem.key()));
        }
        if (source instanceof SelfSigned kept && kept.directory().isPresent()) {
            Path directory = kept.directory().get();
            return List.of(
                    of(directory.resolve(kept.fileName() + ".crt")), of(directory.resolve(kept.fileName() + ".key")));
        }
        return source instanceof Pkcs12Source pkcs12 ? List.of(of(pkcs12.file())) : List.of();
    }

    /** The stamp of a file. */
    public static FileStamp of(Path file) {
        try {
            Path real = file.toRealPath();
            BasicFileAttributes attributes = Files.readAttributes(real, BasicFileAttributes.class);
            return new FileStamp(real, attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
        } catch (IOException e) {
            return NOTHING;
        }
    }
}
