package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Puts a proxy in front of a service that runs already. */
@Command(
        name = "expose",
        description = "Exposes a service that runs on this machine or elsewhere.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class ExposeCommand implements Callable<Integer> {
    @Option(
            names = "--internal-port",
            paramLabel = "PORT",
            description =
                    "The port of the service on 127.0.0.1; with routes it may be left out, and what none of them matches gets 404.")
    private @Nullable Integer internalPort;

    @Option(
            names = "--to",
            paramLabel = "URL",
            description = "The service's URL in place of --internal-port, http://host:port or https://host:port;"
                    + " may be repeated: several take turns.")
    private List<String> to = new ArrayList<>();

    @Option(
            names = "--external-port",
            paramLabel = "PORT",
            required = true,
            description = "The port to open, 0 for any free one.")
    private int externalPort;

    @Mixin
    private RouteOptions routes = new RouteOptions();

    @Mixin
    private FrontOptions front = new FrontOptions();

    @Override
    public Integer call() {
        return front.serve(externalPort, this::forward, () -> {});
    }

    private void forward(ProxyConfig.Builder builder) {
        routes.applyTo(builder);
        if (routes.isEmpty() || internalPort != null || !to.isEmpty()) {
            builder.forward(upstreams());
        }
    }

    private String[] upstreams() {
        if (internalPort == null ? to.isEmpty() : !to.isEmpty()) {
            throw new IllegalArgumentException(
                    internalPort == null
                            ? "--internal-port: missing (expected: --internal-port PORT, --to URL, or a --route)"
                            : "--internal-port: given with --to (expected: only one of them)");
        }
        if (internalPort == null) {
            return to.toArray(String[]::new);
        }
        if (internalPort < 1 || internalPort > 65535) {
            throw new IllegalArgumentException("--internal-port: " + internalPort + " (expected: 1-65535)");
        }
        return new String[] {"http://127.0.0.1:" + internalPort};
    }
}
