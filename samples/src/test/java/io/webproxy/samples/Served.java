package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.samples.cli.Cli;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import okhttp3.HttpUrl;

/** A command that serves, run in this JVM. */
final class Served implements AutoCloseable {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final FutureTask<Integer> exitStatus;
    private final Thread thread;
    private boolean interrupted;

    private Served(String... arguments) {
        Home.set();
        this.exitStatus = new FutureTask<>(() -> Cli.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments));
        this.thread = new Thread(exitStatus, "command line");
    }

    /** Returns when the command says that it is ready. */
    static Served start(String... arguments) {
        Served served = new Served(arguments);
        served.thread.start();
        await().atMost(Duration.ofSeconds(30))
                .until(() -> served.out.toString().endsWith("\n") || served.exitStatus.isDone());
        assertThat(served.out.toString())
                .as(served.err.toString())
                .matches("ready (https?://[^ ]+:[0-9]+/|tcp://[^ /]+:[0-9]+)\n");
        return served;
    }

    /** What the command said it serves. */
    HttpUrl url(String path) {
        HttpUrl root = HttpUrl.get(out.toString().strip().substring("ready ".length()));
        return root.resolve(path);
    }

    /** The port that it opened. */
    int port() {
        return URI.create(out.toString().strip().substring("ready ".length())).getPort();
    }

    /** Interrupts the command, once: a second time would cut what is in flight. */
    void interrupt() {
        if (!interrupted) {
            interrupted = true;
            thread.interrupt();
        }
    }

    /** Interrupts the command and returns its exit status. */
    int stop() throws Exception {
        interrupt();
        return exitStatus.get(40, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws Exception {
        assertThat(stop()).isZero();
        thread.join();
    }
}
