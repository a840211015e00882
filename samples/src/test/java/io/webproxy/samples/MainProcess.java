package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command line in a JVM of its own. */
final class MainProcess implements AutoCloseable {
    private final Process process;
    private final Path stderr;
    private final BufferedReader stdout;

    private MainProcess(List<String> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(hangupHeeded());
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Duser.home=" + Home.set());
        command.addAll(main);
        command.addAll(List.of(arguments));
        this.stderr = Files.createTempFile("webproxy", ".err");
        this.process =
                new ProcessBuilder(command).redirectError(stderr.toFile()).start();
        this.stdout = process.inputReader();
    }

    /** Under nohup this JVM ignores SIGHUP, and so would those that it starts: what undoes that. */
    private static List<String> hangupHeeded() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (Files.exists(status)) {
            for (String line : Files.readAllLines(status)) {
                if (line.startsWith("SigIgn:") && (Character.digit(line.charAt(line.length() - 1), 16) & 1) != 0) {
                    return List.of("env", "--default-signal=HUP");
                }
            }
        }
        return List.of();
    }

    /** The classes under test, with the log configuration of the runnable jar. */
    static MainProcess start(String... arguments) throws IOException {
        return new MainProcess(
                List.of(
                        "-Dlogback.configurationFile=logback.xml",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName()),
                arguments);
    }

    static MainProcess startJar(Path jar, String... arguments) throws IOException {
        return new MainProcess(List.of("-jar", jar.toString()), arguments);
    }

    /** The next line on standard output; empty at its end. */
    String line() throws IOException {
        String line = stdout.readLine();
        return line == null ? "" : line;
    }

    String stderr() throws IOException {
        return Files.readString(stderr);
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.toHandle().destroy();
    }

    /** Sends another signal, such as {@code HUP}. */
    void signal(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }

    int exitStatus() throws InterruptedException {
        assertThat(process.waitFor(45, TimeUnit.SECONDS)).as("has ended").isTrue();
        return process.exitValue();
    }

    @Override
    public void close() throws IOException, InterruptedException {
        process.destroyForcibly().waitFor();
        stdout.close();
        process.getOutputStream().close();
        Files.delete(stderr);
    }
}
