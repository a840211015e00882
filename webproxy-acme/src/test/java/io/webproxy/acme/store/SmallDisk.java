package io.webproxy.acme.store;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system in memory with room for little, mounted until this is closed. */
record SmallDisk(Path path, boolean works) implements AutoCloseable {
    static SmallDisk mounted(Path path, int kibibytes) throws Exception {
        Files.createDirectories(path);
        boolean works = Command.succeeds(
                "mount", "-t", "tmpfs", "-o", "size=" + kibibytes + "k,mode=700", "none", path.toString());
        return new SmallDisk(path, works);
    }

    /** Leaves no room. */
    void fill() throws IOException {
        try (OutputStream filler = Files.newOutputStream(path.resolve(".filler"))) {
            while (true) {
                filler.write(new byte[4096]);
            }
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No space left")) {
                throw e;
            }
        }
    }

    /** Leaves room again. */
    void empty() throws IOException {
        Files.delete(path.resolve(".filler"));
    }

    void readOnly() throws Exception {
        if (!Command.succeeds("mount", "-o", "remount,ro", path.toString())) {
            throw new IOException("can't remount " + path);
        }
    }

    @Override
    public void close() throws Exception {
        if (works) {
            Command.succeeds("umount", path.toString());
        }
    }
}
