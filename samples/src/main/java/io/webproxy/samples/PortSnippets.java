package io.webproxy.samples;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStatus;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.RelayRecord;
import io.webproxy.port.BytePattern;
import io.webproxy.port.Relay;
import io.webproxy.port.Sni;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import io.webproxy.tunnel.TunnelServer;
import java.nio.file.Path;

/** The code about ports in the README of webproxy-api; see {@link ReadmeSnippets}. */
final class PortSnippets {
    private PortSnippets() {}

    static void endpoints(ProxyConfig.Builder builder) {
        // readme: endpoints
        builder.https(443, e -> e.name("public").bind("203.0.113.7"))
                .https(
                        8443,
                        e -> e.name("partners")
                                .clientCertificates(
                                        ClientCertificates.required(TrustStore.pem(Path.of("partners.pem")))))
                .http(8080, e -> e.bind("127.0.0.1").proxyProtocol(ProxyProtocol.REQUIRED))
                .trustedProxies("127.0.0.1");
        // readme: end
    }

    static void rules(ProxyConfig.Builder builder) {
        // readme: rules
        builder.listen(
                2222,
                port -> port.ssh("127.0.0.1:22")
                        .tls(Sni.of("db.example.com"), "10.0.0.5:443") // untouched: TLS doesn't end here
                        .tls(Sni.of("*.inner.example.com").alpn("h2"), "10.0.0.6:443", "10.0.0.7:443")
                        // ends here, and is looked into
                        .tls(Sni.of("host1.example.com"), inside -> inside.ssh("10.0.0.11:22"))
                        .https() // other TLS ends here, and goes to the routes
                        .http() // cleartext HTTP: to the routes; or .redirectHttp()
                        .match("rdp", BytePattern.of("03 00"), "127.0.0.1:3389")
                        .silent("127.0.0.1:22") // clients that wait for the server to speak first
                        .otherwise("127.0.0.1:9000")); // default: close and count
        // readme: end
    }

    static void relays(ProxyConfig.Builder builder) {
        // readme: relays
        Relay ssh = Relay.to("127.0.0.1:22").withLoopbackSource().withNewConnectionsPerMinute(20);
        Relay shop = Relay.to("10.0.0.8:443", "10.0.0.9:443").withProxyProtocol(2);
        builder.listen(
                2222,
                port -> port.ssh(ssh).tls(Sni.of("shop.example.com"), shop).silent(ssh));
        // readme: end
    }

    static void hosts(ProxyConfig.Builder builder) {
        // readme: hosts
        builder.listen(2201, port -> port.ssh("10.0.0.11:22")) // by local port
                .listen(2202, port -> port.ssh("10.0.0.12:22"))
                .listen(
                        443,
                        port -> port.from("198.51.100.0/24", some -> some.ssh("10.0.0.11:22")) // by client address
                                .ssh("10.0.0.12:22")
                                // by name, within TLS
                                .tls(Sni.of("host1.example.com"), inside -> inside.ssh("10.0.0.11:22"))
                                .tls(Sni.of("host2.example.com"), inside -> inside.ssh("10.0.0.12:22"))
                                .https());
        // readme: end
    }

    static void events(ProxyConfig.Builder builder) {
        // readme: events
        builder.observer(new ProxyObserver() {
            @Override
            public void relayEnded(RelayRecord relay) {
                System.out.println(relay.client() + " " + relay.rule().orElse("-") + " " + relay.end());
            }
        });
        // readme: end
    }

    static void changes(ProxyServer proxy) {
        // readme: changes
        proxy.update(c -> c.listen(2222, port -> port.ssh("127.0.0.1:2022").https()));
        for (ProxyStatus.Rule rule : proxy.status().rules()) {
            System.out.println(rule.endpoint() + " " + rule.name() + " " + rule.open() + "/" + rule.total());
        }
        // readme: end
    }

    static void publicSide(ProxyConfig.Builder builder) {
        // readme: tunnels
        builder.listen(
                443,
                port -> port.tunnels(TunnelServer.agents(Path.of("agents")).identity(Path.of("public")))
                        .https()); // names that no agent has announced
        // readme: end
    }

    static void privateSide(ProxyConfig.Builder builder, String fingerprint) {
        // readme: tunnel
        builder.tunnel(
                        "public.example.com:443",
                        t -> t.identity(Path.of("keys/alice"))
                                .server("sha256:" + fingerprint)
                                .connect("other.example.com:443") // a second public server gets the same announcements
                                .announce("db.example.com", "127.0.0.1:8888")
                                .announceHttps("app.example.com")
                                .announceTcp(6022, "192.168.1.7:22"))
                .certificates(Certificates.selfSigned("app.example.com"))
                .forward("http://127.0.0.1:8080");
        // readme: end
    }
}
