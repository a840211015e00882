package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
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
        InetSocketAddress at = parse(address);
        boolean loopback = at.getAddress().isLoopbackAddress();
        if (!loopback && !given) {
            throw Complaint.wrong(
                    NAME,
                    address,
                    "a loopback address such as 127.0.0.1, or --user or --htpasswd with it, because everybody who"
                            + " reaches another one could read it");
        }
        return MetricsServer.start(at, loopback ? builder -> {} : credentials);
    }

    private static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.isEmpty() || (host.contains(":") && !host.startsWith("["))) {
            throw wrong(text);
        }
        try {
            return new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(text.substring(colon + 1)));
        } catch (UnknownHostException | IllegalArgumentException e) {
            throw wrong(text);
        }
    }

    private static IllegalArgumentException wrong(String text) {
        return Complaint.wrong(
                NAME, text, "an address of this machine and a port, such as 127.0.0.1:9090 or [::1]:9090");
    }
}
