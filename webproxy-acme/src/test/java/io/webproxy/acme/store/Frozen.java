package io.webproxy.acme.store;

import java.nio.file.Path;

/** A directory in which nobody, not even root, can make, move or remove anything until this is closed. */
record Frozen(Path path, boolean works) implements AutoCloseable {
    static Frozen directory(Path path) throws Exception {
        return new Frozen(path, Command.succeeds("chattr", "+i", path.toString()));
    }

    @Override
    public void close() throws Exception {
        if (works) {
            Command.succeeds("chattr", "-i", path.toString());
        }
    }
}
