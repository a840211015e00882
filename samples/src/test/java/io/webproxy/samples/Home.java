package io.webproxy.samples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A home directory of its own for each JVM that runs tests: the command line keeps certificates there. */
final class Home {
    private static final Path DIRECTORY = Path.of("target", "home").toAbsolutePath();

    private static volatile Path current = DIRECTORY;

    private Home() {}

    /** Another one until it is closed. */
    static Other of(Path other) {
        Other home = new Other();
        current = other;
        return home;
    }

    /** That of {@link #of}. */
    static final class Other implements AutoCloseable {
        @Override
        public void close() {
            current = DIRECTORY;
            set();
        }
    }

    /** From now on it is that of this JVM. */
    static Path set() {
        try {
            Files.createDirectories(DIRECTORY);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        System.setProperty("user.home", current.toString());
        return current;
    }
}
