package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelServer;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The public side of tunnels, by itself. */
@Command(
        name = "public-proxy",
        description = "Hands TLS clients over to private proxies that dial in, by server name; TLS doesn't end here.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class PublicProxyCommand implements Callable<Integer> {
    @Option(
            names = "--listen",
            paramLabel = "PORT",
            required = true,
            converter = Numbers.Port.class,
            description = "The port for clients, and for private proxies unless --control-port is given; 0 for any free"
                    + " one.")
    private int port;

    @Option(
            names = "--control-port",
            paramLabel = "PORT",
            converter = Numbers.Port.class,
            description = "A port of their own for private proxies, 0 for any free one; default: they dial --listen.")
    private @Nullable Integer controlPort;

    @Option(
            names = "--agents",
            paramLabel = "FILE",
            required = true,
            description = "Which private proxies may announce what: a line for each, as agent-key prints it; read again"
                    + " when it changes.")
    private Path agents = Path.of("");

    @Option(
            names = "--identity",
            paramLabel = "DIR",
            required = true,
            description = "The directory of this proxy's key, public.key and public.crt, which is made if there is"
                    + " none.")
    private Path identity = Path.of("");

    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            description = "The local address to listen on; default: all addresses.")
    private @Nullable String bind;

    @Mixin
    private TunnelLimits limits = new TunnelLimits();

    @Mixin
    private PlainOptions options = new PlainOptions();

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Override
    public Integer call() {
        return options.serve(command, "--listen", this::configure, this::ready, proxy -> {});
    }

    private void configure(ProxyConfig.Builder builder) {
        TunnelServer tunnels = limits.applyTo(TunnelServer.agents(agents).identity(identity));
        if (bind != null) {
            builder.bind(bind);
        }
        Integer control = controlPort;
        if (control == null) {
            builder.listen(port, rules -> rules.tunnels(tunnels).detectTime(TunnelServer.HELLO_TIME));
        } else {
            builder.listen(port, rules -> rules.tunnelClients(tunnels).detectTime(TunnelServer.HELLO_TIME));
            builder.listen(control, rules -> rules.tunnelAgents(tunnels).detectTime(TunnelServer.HELLO_TIME));
        }
    }

    private String ready(ProxyServer proxy) {
        PrintWriter out = command.commandLine().getOut();
        out.println("identity " + Tunnel.fingerprint(identity.resolve("public")));
        if (controlPort != null) {
            out.println("control tcp://" + host(proxy) + ":"
                    + proxy.endpoints().get(1).address().getPort());
        }
        out.flush();
        return "tcp://" + host(proxy) + ":" + proxy.endpoints().get(0).address().getPort();
    }

    private static String host(ProxyServer proxy) {
        URI uri = proxy.uri();
        return uri.getHost();
    }
}
