package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option for the endpoint of metrics and health. */
final class MetricsOption {
    private static final String NAME = "--metrics";

    @Option(
            names = NAME,
            paramLabel = "ADDRESS:PORT",
            description =
                    "Serves metrics for Prometheus (/metrics) and health (/livez, /readyz) by HTTP at this address,"
                            + " such as 127.0.0.1:9090; one that isn't loopback needs --user or --htpasswd; default:"
                            + " nowhere.")
    private @Nullable String address;

    /**
     * Starts the endpoint.
     *
     * @param credentials adds those that clients of an address that isn't loopback must have
     * @param given whether there are any
     * @return null if the option isn't given
     * @throws IllegalArgumentException if the address can't be one
     */
    @Nullable MetricsServer open(Consumer<ProxyConfig.Builder> credentials, boolean given) {
        if (address == null) {
            return null;
        }
        InetSocketAddress at = LocalAddress.parse(NAME, address);
        LocalAddress.checkReaders(NAME, address, at, given);
        return MetricsServer.start(at, at.getAddress().isLoopbackAddress() ? builder -> {} : credentials);
    }
}
