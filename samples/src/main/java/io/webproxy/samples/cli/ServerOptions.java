package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyConfigException;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options of every command that serves, and the serving itself. */
final class ServerOptions {
    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            description = "The local address to listen on; default: all addresses.")
    private @Nullable String bind;

    @Option(
            names = "--trusted-proxy",
            paramLabel = "CIDR",
            description = "An address or a range whose X-Forwarded-* and Forwarded fields, and headers of the PROXY"
                    + " protocol, are believed; may be repeated.")
    private List<String> trustedProxies = new ArrayList<>();

    @Mixin
    private ForwardedOption forwarded = new ForwardedOption();

    @Mixin
    private CredentialOptions credentials = new CredentialOptions();

    @Mixin
    private CertificateOptions certificates = new CertificateOptions();

    @Mixin
    private TimeoutOptions timeouts = new TimeoutOptions();

    @Option(
            names = "--drain-time",
            paramLabel = "TIME",
            description = "How long what is in flight may go on when it is told to stop; then it is cut. Default: 30s.")
    private @Nullable String drainTime;

    @Option(
            names = "--io-threads",
            paramLabel = "N",
            converter = Numbers.Threads.class,
            description = "How many IO threads; default: one per processor, at least two.")
    private @Nullable Integer ioThreads;

    @Option(
            names = "--access-log",
            paramLabel = "FILE",
            description = "Where to append a line for each request, - for standard output; default: nowhere.")
    private @Nullable String accessLog;

    @Option(
            names = "--access-log-format",
            paramLabel = "FORMAT",
            description = "How a line of it looks: combined or json; default: combined.")
    private @Nullable LogFormat accessLogFormat;

    @Mixin
    private MetricsOption metrics = new MetricsOption();

    @Mixin
    private StatusOption status = new StatusOption();

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            description = "Which log lines go to standard error: error, warn, info or debug; default: info.")
    private @Nullable LogLevel logLevel;

    /**
     * The differences between commands when they serve.
     *
     * @param ready the text to print when it is ready
     * @param started receives the server before that
     * @param beforeStop runs before the server waits for exchanges
     * @param words explains a failed start in terms of its options
     * @param relayLog file of the relay log, null for none
     */
    record Serving(
            Function<ProxyServer, String> ready,
            Consumer<ProxyServer> started,
            Runnable beforeStop,
            StartWords words,
            @Nullable String relayLog) {}

    CertificateOptions certificates() {
        return certificates;
    }

    /**
     * Serves until the JVM ends or the thread is interrupted.
     *
     * @param configure adds endpoints, routes and certificates
     * @return the exit status
     * @throws ParameterException if the options don't make a valid configuration
     */
    int serve(CommandSpec command, Consumer<ProxyConfig.Builder> configure, Serving serving) {
        try (LogLevel.Change level = LogLevel.change(logLevel);
                MetricsServer shown = openMetrics(command)) {
            ProxyConfig config = configured(command, builder -> {
                configure.accept(builder);
                if (shown != null) {
                    shown.applyTo(builder);
                }
            });
            return serve(command, config, serving, shown);
        } catch (ProxyStartException e) {
            String sentence = String.valueOf(e.getMessage());
            String ofStatus = status.explain(sentence);
            throw new ProxyStartException(ofStatus == null ? serving.words().of(sentence) : ofStatus, e);
        }
    }

    private @Nullable MetricsServer openMetrics(CommandSpec command) {
        try {
            return metrics.open(credentials::applyTo, credentials.isGiven());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private int serve(CommandSpec command, ProxyConfig config, Serving serving, @Nullable MetricsServer shown) {
        try (LogFile requests = LogFile.ofRequests(accessLog);
                LogFile relays = LogFile.ofRelays(serving.relayLog());
                Signals.Handler hangup = LogFile.reopenedOnHangup(requests, relays);
                ProxyServer proxy = config.start()) {
            if (shown != null) {
                shown.show(proxy);
            }
            certificates.announce();
            serving.started().accept(proxy);
            int exit = Foreground.serve(
                    command.commandLine().getOut(),
                    serving.ready().apply(proxy),
                    () -> new StartLines(proxy, certificates.isUntrusted(), status.uri(proxy))
                            .print(command.commandLine().getOut()),
                    () -> {
                        serving.beforeStop().run();
                        proxy.close();
                        requests.flush();
                        relays.flush();
                    },
                    config.drainTime(),
                    proxy::awaitClose);
            String failure = proxy.status().failure().orElse(null);
            if (failure == null) {
                return exit;
            }
            command.commandLine().getErr().println("webproxy: " + failure);
            command.commandLine().getErr().flush();
            // nothing in flight can end any more
            proxy.drain(Duration.ZERO);
            return ExitCode.SOFTWARE;
        }
    }

    private ProxyConfig configured(CommandSpec command, Consumer<ProxyConfig.Builder> configure) {
        ProxyConfig.Builder builder = ProxyServer.builder();
        try {
            checkEmpty(command);
            Complaint.of("--trusted-proxy", () -> builder.trustedProxies(trustedProxies.toArray(String[]::new)));
            forwarded.applyTo(builder);
            if (bind != null) {
                builder.bind(bind);
            }
            if (ioThreads != null) {
                int threads = ioThreads;
                builder.tuning(t -> t.withIoThreads(threads));
            }
            drain(builder);
            configure.accept(builder);
            status.applyTo(builder, credentials.isGiven());
            credentials.applyTo(builder);
            timeouts.applyTo(builder);
            logTo(builder);
            return builder.build();
        } catch (ProxyConfigException e) {
            String problems = e.problems().stream().map(StartWords::ofProblem).collect(Collectors.joining("; "));
            throw new ParameterException(command.commandLine(), problems, e);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /** An unset variable in a script makes an empty value: only passwords may be empty. */
    private static void checkEmpty(CommandSpec command) {
        for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
            if (!option.longestName().endsWith("password")
                    && option.originalStringValues().stream().anyMatch(String::isBlank)) {
                throw Complaint.wrong(option.longestName(), "empty", option.longestName() + " " + option.paramLabel());
            }
        }
    }

    private void drain(ProxyConfig.Builder builder) {
        if (drainTime == null) {
            return;
        }
        Duration time = Times.read(drainTime);
        if (time == null) {
            throw Complaint.wrong("--drain-time", drainTime, "a whole number with ms, s, m or h");
        }
        try {
            builder.drainTime(time);
        } catch (IllegalArgumentException e) {
            throw Complaint.wrong("--drain-time", drainTime, "0s to 365 days");
        }
    }

    private void logTo(ProxyConfig.Builder builder) {
        if (accessLog != null) {
            builder.accessLog(true);
            if (accessLogFormat == LogFormat.JSON) {
                builder.accessLogJson();
            }
        } else if (accessLogFormat != null) {
            throw new IllegalArgumentException(
                    "--access-log-format: given without --access-log (expected: --access-log FILE with it)");
        }
    }

    /** The values of {@code --access-log-format}. */
    private enum LogFormat {
        COMBINED,
        JSON
    }
}
