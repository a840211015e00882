package io.webproxy.acme.store;

import io.webproxy.acme.CertificateStore;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/**
 * Another process that uses a directory of certificates. It ends when it is told to, when its input ends, or when it is
 * killed.
 *
 * <p>It loads few classes, so that many can be started: no logging, no test framework.
 */
final class StoreProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader answers;

    private StoreProcess(Process process) {
        this.process = process;
        this.answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Puts the content of two files under a key, in turn, without end. */
    static StoreProcess writer(Path directory, String key, Path one, Path other) throws IOException {
        return started("write", directory.toString(), key, one.toString(), other.toString());
    }

    /** Takes a lock, and extends it at each question. */
    static StoreProcess locker(Path directory, String name, Duration lease) throws IOException {
        return started("lock", directory.toString(), name, lease.toString());
    }

    private static StoreProcess started(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-XX:-UsePerfData",
                "-cp",
                classPath(),
                StoreProcess.class.getName()));
        command.addAll(List.of(arguments));
        return new StoreProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    private static String classPath() {
        Set<String> places = new LinkedHashSet<>();
        for (Class<?> type : List.of(StoreProcess.class, DirectoryStore.class, Logger.class)) {
            places.add(Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .getPath())
                    .toString());
        }
        return String.join(File.pathSeparator, places);
    }

    /** What it says next. */
    String answer() throws IOException {
        return String.valueOf(answers.readLine());
    }

    /** Makes it say something. */
    String ask() throws IOException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
        return answer();
    }

    void signal(String name) throws InterruptedException {
        if (!Command.succeeds("kill", "-" + name, Long.toString(process.pid()))) {
            throw new IllegalStateException("no process to send SIG" + name);
        }
    }

    /** Ends it as kill -9 does; returns when it has gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new IllegalStateException("not killed within 30 s");
        }
    }

    @Override
    public void close() throws Exception {
        kill();
        answers.close();
        process.getOutputStream().close();
    }

    public static void main(String[] arguments) throws Exception {
        CertificateStore store = CertificateStore.directory(Path.of(arguments[1]));
        if (arguments[0].equals("write")) {
            byte[] one = Files.readAllBytes(Path.of(arguments[3]));
            byte[] other = Files.readAllBytes(Path.of(arguments[4]));
            for (long count = 0; ; count++) {
                store.put(arguments[2], count % 2 == 0 ? one : other);
                if (count == 0) {
                    System.out.println("writing");
                }
            }
        }
        CertificateStore.Lock lock =
                store.lock(arguments[2], Duration.parse(arguments[3])).orElse(null);
        System.out.println(lock == null ? "not held" : "held");
        while (lock != null && System.in.read() >= 0) {
            System.out.println(lock.extend() ? "held" : "lost");
        }
    }
}
