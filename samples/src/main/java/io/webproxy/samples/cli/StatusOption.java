package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.http.StatusPage;
import io.webproxy.port.Endpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option for the endpoint of the status page. */
final class StatusOption {
    private static final String NAME = "--status";
    private static final String ENDPOINT = "status";

    @Option(
            names = NAME,
            paramLabel = "ADDRESS:PORT",
            description = "Serves a page that shows the running server, and its data as status.json, by HTTP at this"
                    + " address, such as 127.0.0.1:9091; one that isn't loopback needs --user or --htpasswd; default:"
                    + " nowhere.")
    private @Nullable String address;

    /**
     * Adds the endpoint, if the option is given.
     *
     * @param credentialsGiven whether clients of the server must have some; then those of the page must too
     * @throws IllegalArgumentException if the address can't be one
     */
    void applyTo(ProxyConfig.Builder builder, boolean credentialsGiven) {
        if (address != null) {
            InetSocketAddress at = LocalAddress.parse(NAME, address);
            LocalAddress.checkReaders(NAME, address, at, credentialsGiven);
            builder.http(
                    at.getPort(),
                    endpoint -> endpoint.name(ENDPOINT)
                            .bind(at.getAddress().getHostAddress())
                            .answer(StatusPage.defaults()));
        }
    }

    /** Where the page is; null without one. */
    @Nullable String uri(ProxyServer proxy) {
        return proxy.endpoints().stream()
                .filter(endpoint -> address != null && endpoint.name().equals(ENDPOINT))
                .map(Endpoint::address)
                .map(bound -> "http://" + host(bound.getAddress()) + ":" + bound.getPort() + "/")
                .findFirst()
                .orElse(null);
    }

    private static String host(InetAddress bound) {
        if (bound.isAnyLocalAddress()) {
            return "localhost";
        }
        String host = bound.getHostAddress();
        return host.contains(":") ? "[" + host + "]" : host;
    }

    /** Words for a start that failed because of the address of the page; null if it failed for something else. */
    @Nullable String explain(String sentence) {
        if (address == null) {
            return null;
        }
        InetSocketAddress at = LocalAddress.parse(NAME, address);
        if (sentence.startsWith("Port " + at.getPort() + " ")
                || sentence.startsWith("bind: " + at.getAddress().getHostAddress() + " ")) {
            return new StartWords(NAME, null).of(sentence).replaceFirst("^--bind: ", NAME + ": ");
        }
        return null;
    }
}
