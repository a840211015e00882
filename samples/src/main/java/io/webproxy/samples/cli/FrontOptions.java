package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyConfigException;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.observe.AccessLogFormat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What the proxy shows to the outside, and the serving itself. */
final class FrontOptions {
    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            description = "The local address to listen on; default: all addresses.")
    private @Nullable String bind;

    @Option(names = "--plain", description = "The external port speaks HTTP in place of HTTPS.")
    private boolean plain;

    @Option(
            names = "--http-port",
            paramLabel = "PORT",
            converter = Numbers.Port.class,
            description = "One more port, which redirects from HTTP to HTTPS; default: none.")
    private @Nullable Integer httpPort;

    @Option(
            names = "--trusted-proxy",
            paramLabel = "CIDR",
            description =
                    "An address or a range whose X-Forwarded-* and Forwarded fields are believed; may be repeated.")
    private List<String> trustedProxies = new ArrayList<>();

    @Mixin
    private CredentialOptions credentials = new CredentialOptions();

    @Mixin
    private CertificateOptions certificates = new CertificateOptions();

    @Mixin
    private TimeoutOptions timeouts = new TimeoutOptions();

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
    private @Nullable AccessLogFormat accessLogFormat;

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            description = "Which log lines go to standard error: error, warn, info or debug; default: info.")
    private @Nullable LogLevel logLevel;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create();

    /**
     * Serves until the JVM is ended or the thread interrupted.
     *
     * @param forward adds the routes
     * @param beforeStop runs before exchanges are waited for
     * @return the exit status
     * @throws ParameterException if the options make no valid configuration
     */
    int serve(int externalPort, Consumer<ProxyConfig.Builder> forward, Runnable beforeStop) {
        try (LogLevel.Change level = LogLevel.change(logLevel)) {
            return serve(configure(externalPort, forward), beforeStop);
        } catch (ProxyStartException e) {
            throw new ProxyStartException(new StartWords(httpPort).of(String.valueOf(e.getMessage())), e);
        }
    }

    private int serve(ProxyConfig config, Runnable beforeStop) {
        try (AccessLogFile log = AccessLogFile.open(accessLog);
                ProxyServer proxy = config.start()) {
            certificates.announce();
            int exit = Foreground.serve(
                    command.commandLine().getOut(),
                    proxy.uri().toString(),
                    () -> {
                        beforeStop.run();
                        proxy.close();
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

    private ProxyConfig configure(int externalPort, Consumer<ProxyConfig.Builder> forward) {
        ProxyConfig.Builder builder = ProxyServer.builder();
        try {
            checkEmpty();
            checkPorts(externalPort);
            if (plain) {
                builder.http(externalPort);
            } else {
                builder.https(externalPort);
            }
            if (httpPort != null) {
                builder.redirectHttp(httpPort);
            }
            Complaint.of("--trusted-proxy", () -> builder.trustedProxies(trustedProxies.toArray(String[]::new)));
            if (bind != null) {
                builder.bind(bind);
            }
            if (ioThreads != null) {
                builder.ioThreads(ioThreads);
            }
            forward.accept(builder);
            credentials.applyTo(builder);
            if (plain) {
                certificates.checkUnused();
            } else {
                certificates.applyTo(builder);
            }
            timeouts.applyTo(builder);
            logTo(builder);
            return builder.build();
        } catch (ProxyConfigException e) {
            throw new ParameterException(command.commandLine(), String.join("; ", e.problems()), e);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /** An unset variable of a script makes an empty value: nothing takes one but a password. */
    private void checkEmpty() {
        for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
            if (!option.longestName().endsWith("password")
                    && option.originalStringValues().stream().anyMatch(String::isBlank)) {
                throw Complaint.wrong(option.longestName(), "empty", option.longestName() + " " + option.paramLabel());
            }
        }
    }

    private void checkPorts(int externalPort) {
        if (httpPort == null) {
            return;
        }
        if (plain) {
            throw Complaint.wrong("--http-port", "given with --plain", "only one of them: it redirects to HTTPS");
        }
        if (httpPort != 0 && httpPort == externalPort) {
            throw Complaint.wrong(
                    "--http-port",
                    httpPort.toString(),
                    "another port than --external-port, which redirects HTTP as well");
        }
    }

    private void logTo(ProxyConfig.Builder builder) {
        if (accessLog != null) {
            builder.accessLog(accessLogFormat == null ? AccessLogFormat.COMBINED : accessLogFormat);
        } else if (accessLogFormat != null) {
            throw new IllegalArgumentException(
                    "--access-log-format: given without --access-log (expected: --access-log FILE with it)");
        }
    }
}
