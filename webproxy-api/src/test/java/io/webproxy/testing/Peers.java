package io.webproxy.testing;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs of others that tests talk to: curl, openssl, h2load, nginx and the like. */
public final class Peers {
    private static final boolean REQUIRED = "1".equals(System.getenv("WEBPROXY_REQUIRE_PEERS"));

    /**
     * What a program did.
     *
     * @param exitCode what it ended with
     * @param stdout all it printed, as UTF-8
     * @param stderr all it complained about, as UTF-8
     */
    public record Outcome(int exitCode, String stdout, String stderr) {}

    private Peers() {}

    /**
     * The program's file, from {@code PATH} or where system programs live.
     *
     * <p>Without it the test is aborted, or fails if the environment says {@code WEBPROXY_REQUIRE_PEERS=1}.
     */
    public static Path require(String tool) {
        return require(tool, REQUIRED);
    }

    static Path require(String tool, boolean required) {
        return find(tool).orElseGet(() -> {
            String message = tool + ": not found on PATH (expected: installed)";
            return required ? fail(message) : abort(message);
        });
    }

    private static Optional<Path> find(String tool) {
        Stream<String> path = Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator));
        return Stream.concat(path, Stream.of("/usr/local/sbin", "/usr/sbin", "/sbin"))
                .map(directory -> Path.of(directory, tool))
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst();
    }

    /**
     * Runs a program without input until it ends, and fails the test if that takes longer than {@code limit}: then the
     * program and all it started are killed.
     *
     * @param command a path, or a name that {@link #require} looks up, and its arguments
     */
    public static Outcome run(Duration limit, String... command) throws IOException, InterruptedException {
        String[] resolved = command.clone();
        if (!command[0].contains("/")) {
            resolved[0] = require(command[0]).toString();
        }
        // Files instead of pipes: nothing to pump, and a grandchild that stays can't hold the reader.
        Path stdout = Files.createTempFile("peer", ".out");
        Path stderr = Files.createTempFile("peer", ".err");
        try {
            Process process = new ProcessBuilder(resolved)
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(stdout.toFile())
                    .redirectError(stderr.toFile())
                    .start();
            boolean ended = false;
            try {
                ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            } finally {
                if (!ended) {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly().waitFor();
                }
            }
            Outcome outcome = new Outcome(process.exitValue(), read(stdout), read(stderr));
            return ended
                    ? outcome
                    : fail(String.join(" ", command) + ": still running after " + limit + ", " + outcome);
        } finally {
            Files.deleteIfExists(stdout);
            Files.deleteIfExists(stderr);
        }
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
