package io.webproxy.samples.cli;

import io.webproxy.PrivateProxy;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.tunnel.Announcement;
import io.webproxy.tunnel.Tunnel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The private side of a tunnel, by itself: it listens on nothing. */
@Command(
        name = "private-proxy",
        description = "Dials public proxies, and lets their clients reach services here; it listens on nothing.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class PrivateProxyCommand implements Callable<Integer> {
    private static final Duration ANY_TIME = Duration.ofDays(365);

    @Option(
            names = "--connect",
            paramLabel = "HOST:PORT",
            required = true,
            split = ",",
            description = "The public proxy; several, separated by commas, get the same announcements.")
    private List<String> servers = new ArrayList<>();

    @Option(
            names = "--server",
            paramLabel = "sha256:HEX",
            required = true,
            split = ",",
            description = "The identity that the public proxy prints; those of several are separated by commas.")
    private List<String> fingerprints = new ArrayList<>();

    @Option(
            names = "--identity",
            paramLabel = "DIR/NAME",
            required = true,
            description = "This proxy's key, as agent-key makes it, without .key.")
    private Path identity = Path.of("");

    @Option(
            names = "--announce",
            paramLabel = "NAME=HOST:PORT",
            required = true,
            description = "A server name, or *.domain, and where its TLS clients go, untouched; tcp:PORT=HOST:PORT for"
                    + " a port of the public proxy. May be repeated.")
    private List<String> announcements = new ArrayList<>();

    @Option(
            names = "--proxy-protocol",
            paramLabel = "VERSION",
            description = "Services are told the client's address by the PROXY protocol: v1 or v2; default: no.")
    private @Nullable ProxyHeader proxyProtocol;

    @Mixin
    private PlainOptions options = new PlainOptions();

    @Spec
    private CommandSpec command = CommandSpec.create();

    private List<Announcement> announced = List.of();

    @Override
    public Integer call() {
        return options.serve(
                command,
                "--connect",
                this::configure,
                proxy -> String.join(
                        ",", announced.stream().map(Announcement::what).toList()),
                PrivateProxyCommand::await);
    }

    private void configure(ProxyConfig.Builder builder) {
        announced = announcements.stream().map(this::announcement).toList();
        servers.forEach(each -> Complaint.of("--connect", () -> Tunnel.to(each)));
        builder.tunnel(servers.get(0), this::filled);
    }

    private Tunnel filled(Tunnel first) {
        Tunnel tunnel = first.identity(identity);
        for (String server : servers) {
            tunnel = tunnel.connect(server);
        }
        for (String fingerprint : fingerprints) {
            Tunnel before = tunnel;
            tunnel = Complaint.of("--server", () -> before.server(fingerprint));
        }
        for (Announcement announcement : announced) {
            tunnel = tunnel.announce(announcement);
        }
        return tunnel;
    }

    private Announcement announcement(String text) {
        int equals = text.indexOf('=');
        if (equals <= 0 || equals == text.length() - 1) {
            throw Complaint.wrong(
                    "--announce",
                    text,
                    "NAME=HOST:PORT, such as db.example.com=127.0.0.1:8443, or tcp:6022=127.0.0.1:22");
        }
        String what = text.substring(0, equals);
        String target = text.substring(equals + 1);
        Announcement announcement = Complaint.of("--announce", () -> {
            if (!what.startsWith("tcp:")) {
                return Announcement.name(what, target);
            }
            String port = what.substring("tcp:".length());
            return Announcement.tcp(port.matches("[0-9]{1,5}") ? Integer.parseInt(port) : 0, target);
        });
        return proxyProtocol == null ? announcement : announcement.withProxyProtocol(proxyProtocol.version());
    }

    private static void await(ProxyServer proxy) {
        try {
            PrivateProxy.of(proxy).awaitAnnounced(ANY_TIME);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProxyStartException("Interrupted before a public proxy had accepted what is announced.", e);
        }
    }
}
