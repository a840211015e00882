package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.http.ProxyProtocol;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** One public port for several protocols. */
@Command(
        name = "port",
        description = "Opens one port for several protocols, told apart by their first bytes.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class PortCommand implements Callable<Integer> {
    private static final List<String> FOR_ROUTES = List.of(
            "--internal-port",
            "--to",
            "--host-header",
            "--allow-upgrade",
            "--lenient-responses",
            "--balancing",
            "--slow-start",
            "--retry-on",
            "--retry-on-first-byte",
            "--retry-non-idempotent",
            "--route",
            "--strip",
            "--user",
            "--password",
            "--htpasswd",
            "--timeout",
            "--access-log",
            "--access-log-format");
    private static final List<String> FOR_TLS = List.of(
            "--cert",
            "--key",
            "--key-password",
            "--keystore",
            "--keystore-password",
            "--self-signed",
            "--self-signed-storage",
            "--acme",
            "--acme-directory",
            "--acme-contact",
            "--acme-storage",
            "--accept-terms",
            "--acme-ca");

    @Option(
            names = "--listen",
            paramLabel = "PORT",
            required = true,
            converter = Numbers.Port.class,
            description = "The port to open, 0 for any free one.")
    private int port;

    @Mixin
    private RuleOptions rules = new RuleOptions();

    @Mixin
    private RelayOptions relays = new RelayOptions();

    @Option(
            names = "--accept-proxy",
            paramLabel = "MODE",
            description = "Whether connections start with a header of the PROXY protocol, which is believed from a"
                    + " --trusted-proxy only: off, optional or required; default: off.")
    private @Nullable ProxyProtocol acceptProxy;

    @Mixin
    private ServiceOptions service = new ServiceOptions();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Override
    public Integer call() {
        return server.serve(
                command,
                this::configure,
                new ServerOptions.Serving(
                        PortCommand::ready,
                        proxy -> {},
                        () -> {},
                        new StartWords("--listen", null),
                        relays.relayLog()));
    }

    private static String ready(ProxyServer proxy) {
        URI uri = proxy.uri();
        return "tcp://" + uri.getHost() + ":" + uri.getPort();
    }

    /** Adds the endpoint, the routes and the certificates. */
    void configure(ProxyConfig.Builder builder) {
        rules.check();
        boolean routed = rules.isServed() || (rules.hasInside() && service.isGiven());
        if (!routed) {
            refuse(FOR_ROUTES, "--http here or --tls here");
        }
        if (!rules.endsTls()) {
            refuse(FOR_TLS, "--tls here or --inside-ssh");
        }
        boolean accepts = acceptProxy != null && acceptProxy != ProxyProtocol.OFF;
        if (accepts && !given().contains("--trusted-proxy")) {
            throw Complaint.wrong("--accept-proxy", "given without --trusted-proxy", "--trusted-proxy CIDR with it");
        }
        if (!accepts && !routed) {
            refuse(List.of("--trusted-proxy"), "--accept-proxy, --http here or --tls here");
        }
        builder.listen(port, p -> {
            rules.applyTo(p, relays);
            if (acceptProxy != null) {
                p.proxyProtocol(acceptProxy);
            }
        });
        if (routed) {
            service.applyTo(builder);
        }
        if (rules.endsTls()) {
            server.certificates().applyTo(builder);
        }
    }

    private void refuse(List<String> options, String needed) {
        Set<String> given = given();
        for (String option : options) {
            if (given.contains(option)) {
                throw Complaint.wrong(option, "given without " + needed, "one of them with it");
            }
        }
    }

    private Set<String> given() {
        return command.commandLine().getParseResult().matchedOptions().stream()
                .map(OptionSpec::longestName)
                .collect(Collectors.toSet());
    }
}
