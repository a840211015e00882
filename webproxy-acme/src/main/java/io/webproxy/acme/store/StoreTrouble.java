package io.webproxy.acme.store;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Describes problems of a certificate directory in one sentence for its operator. */
final class StoreTrouble extends IOException {
    private static final long serialVersionUID = 1;

    StoreTrouble(String sentence) {
        super(sentence);
    }

    private StoreTrouble(String sentence, IOException cause) {
        super(sentence, cause);
    }

    /**
     * Describes an exception of the file system.
     *
     * @param verb the failed operation, such as {@code written}
     */
    static IOException of(Path directory, Path path, String verb, IOException cause) {
        if (cause instanceof StoreTrouble) {
            return cause;
        }
        Path file = inTheWay(directory, path);
        if (file != null) {
            return new StoreTrouble(
                    file + " is a file (expected: a directory to keep certificates in): remove it, or name another"
                            + " directory.",
                    cause);
        }
        if (Files.isDirectory(path) && !path.equals(directory)) {
            return new StoreTrouble(path + " is a directory (expected: a file): remove it.", cause);
        }
        String reason = reason(cause);
        return new StoreTrouble(path + " can't be " + verb + ": " + reason + fix(directory, cause, reason), cause);
    }

    private static @Nullable Path inTheWay(Path directory, Path path) {
        for (Path above = path.equals(directory) ? path : path.getParent(); above != null; above = above.getParent()) {
            if (Files.isRegularFile(above)) {
                return above;
            }
        }
        return null;
    }

    private static String reason(IOException cause) {
        String reason = cause instanceof FileSystemException e ? e.getReason() : cause.getMessage();
        if (reason == null) {
            return cause instanceof AccessDeniedException
                    ? "permission denied"
                    : cause.getClass().getSimpleName();
        }
        return reason.substring(0, 1).toLowerCase(Locale.ROOT) + reason.substring(1);
    }

    private static String fix(Path directory, IOException cause, String reason) {
        if (reason.startsWith("no space left") || reason.startsWith("disk quota exceeded")) {
            return "; make room there.";
        }
        if (reason.startsWith("read-only")) {
            return "; mount it writable, or name another directory than " + directory + ".";
        }
        if (cause instanceof AccessDeniedException || reason.startsWith("operation not permitted")) {
            return "; give this user the rights to " + directory + ", or name another directory.";
        }
        return "; check " + directory + ", or name another directory.";
    }
}
