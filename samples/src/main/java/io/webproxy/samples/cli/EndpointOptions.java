package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The ports of a proxy that serves only HTTP, and the serving itself. */
final class EndpointOptions {
    @Option(names = "--plain", description = "The external port speaks HTTP in place of HTTPS.")
    private boolean plain;

    @Option(
            names = "--http-port",
            paramLabel = "PORT",
            converter = Numbers.Port.class,
            description = "One more port, which redirects from HTTP to HTTPS; default: none.")
    private @Nullable Integer httpPort;

    @Mixin
    private ServerOptions server = new ServerOptions();

    /**
     * Serves until the JVM ends or the thread is interrupted.
     *
     * @param forward adds the routes
     * @param started receives the server
     * @param beforeStop runs before the server waits for exchanges
     * @return the exit status
     * @throws picocli.CommandLine.ParameterException if the options don't make a valid configuration
     */
    int serve(
            CommandSpec command,
            int externalPort,
            Consumer<ProxyConfig.Builder> forward,
            Consumer<ProxyServer> started,
            Runnable beforeStop) {
        return server.serve(
                command,
                builder -> {
                    listen(builder, externalPort);
                    forward.accept(builder);
                    if (plain) {
                        server.certificates().checkUnused();
                    } else {
                        server.certificates().applyTo(builder);
                    }
                },
                new ServerOptions.Serving(
                        proxy -> proxy.uri().toString(),
                        started,
                        beforeStop,
                        new StartWords("--external-port", httpPort),
                        null));
    }

    private void listen(ProxyConfig.Builder builder, int externalPort) {
        checkPorts(externalPort);
        if (plain) {
            builder.http(externalPort);
        } else {
            builder.https(externalPort);
        }
        if (httpPort != null) {
            builder.redirectHttp(httpPort);
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
}
