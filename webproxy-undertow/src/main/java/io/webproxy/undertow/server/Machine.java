package io.webproxy.undertow.server;

import io.webproxy.undertow.deadline.BulkBuffers;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Defaults that depend on the machine; a configured value other than 0 is kept. */
final class Machine {
    private static final Path BACKLOG_LIMIT = Path.of("/proc/sys/net/core/somaxconn");
    private static final int USUAL_BACKLOG = 1024;
    private static final int BUFFER = 16 * 1024;
    private static final int SMALL_BUFFER = 8 * 1024;
    private static final long SMALL_MEMORY = 128L << 20;
    private static final int LEAST_THREADS = 2;

    private Machine() {}

    static int ioThreads(int configured) {
        return configured > 0
                ? configured
                : Math.max(LEAST_THREADS, Runtime.getRuntime().availableProcessors());
    }

    static int bufferSize(int configured) {
        return configured > 0 ? configured : isSmall() ? SMALL_BUFFER : BUFFER;
    }

    /** How many large buffers downloads may use: they need memory that is promised to no request. */
    static int largeBuffers() {
        return isSmall() ? 0 : BulkBuffers.MOST;
    }

    private static boolean isSmall() {
        return Runtime.getRuntime().maxMemory() < SMALL_MEMORY;
    }

    static int backlog(int configured) {
        if (configured > 0) {
            return configured;
        }
        // by lines: the kernel serves such a file in one read only, and Files.readString starts with one byte
        try (BufferedReader lines = Files.newBufferedReader(BACKLOG_LIMIT)) {
            return Integer.parseInt(String.valueOf(lines.readLine()).strip());
        } catch (IOException | NumberFormatException e) {
            return USUAL_BACKLOG;
        }
    }
}
