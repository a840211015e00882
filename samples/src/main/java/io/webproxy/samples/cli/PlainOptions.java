package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyConfigException;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options of commands that serve no HTTP requests themselves, and the serving. */
final class PlainOptions {
    @Option(
            names = "--io-threads",
            paramLabel = "N",
            converter = Numbers.Threads.class,
            description = "How many IO threads; default: one per processor, at least two.")
    private @Nullable Integer ioThreads;

    @Option(
            names = "--relay-log",
            paramLabel = "FILE",
            description = "Where to append a line for each connection, - for standard output; default: nowhere.")
    private @Nullable String relayLog;

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            description = "Which log lines go to standard error: error, warn, info or debug; default: info.")
    private @Nullable LogLevel logLevel;

    /**
     * Serves until the JVM ends or the thread is interrupted.
     *
     * @param port the option that names the port
     * @param started runs before {@code ready} is printed
     */
    int serve(
            CommandSpec command,
            String port,
            Consumer<ProxyConfig.Builder> configure,
            Function<ProxyServer, String> ready,
            Consumer<ProxyServer> started) {
        ProxyConfig config = configured(command, configure);
        try (LogLevel.Change level = LogLevel.change(logLevel);
                LogFile relays = LogFile.ofRelays(relayLog);
                Signals.Handler hangup = LogFile.reopenedOnHangup(relays);
                ProxyServer proxy = config.start()) {
            try {
                started.accept(proxy);
            } catch (RuntimeException e) {
                // nothing is in flight yet
                proxy.drain(Duration.ZERO);
                throw e;
            }
            return Foreground.serve(
                    command.commandLine().getOut(),
                    ready.apply(proxy),
                    () -> {},
                    () -> {
                        proxy.close();
                        relays.flush();
                    },
                    config.drainTime(),
                    proxy::awaitClose);
        } catch (ProxyStartException e) {
            throw new ProxyStartException(new StartWords(port, null).of(String.valueOf(e.getMessage())), e);
        }
    }

    private ProxyConfig configured(CommandSpec command, Consumer<ProxyConfig.Builder> configure) {
        ProxyConfig.Builder builder = ProxyServer.builder();
        try {
            if (ioThreads != null) {
                int threads = ioThreads;
                builder.tuning(t -> t.withIoThreads(threads));
            }
            configure.accept(builder);
            return builder.build();
        } catch (ProxyConfigException e) {
            throw new ParameterException(command.commandLine(), String.join("; ", e.problems()), e);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
