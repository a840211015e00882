package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStatus;
import io.webproxy.tls.CertificateStatus;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the demo's page shows of the proxy in front of it, which only a service in the same JVM can know. Thread-safe.
 */
final class AboutProxy {
    private volatile @Nullable ProxyServer proxy;

    void show(ProxyServer server) {
        proxy = server;
    }

    void handle(HttpServerExchange exchange) {
        ProxyServer server = proxy;
        if (server == null) {
            Reply.text(exchange, 404, "The service isn't told of a proxy.");
        } else if (Reply.allowsReading(exchange)) {
            ProxyStatus status = server.status();
            Reply.json(
                    exchange,
                    "{\"tls\":" + Inspect.quote(status.tlsProvider()) + ",\"certificates\":["
                            + status.certificates().stream()
                                    .map(AboutProxy::certificate)
                                    .collect(Collectors.joining(","))
                            + "]}");
        }
    }

    private static String certificate(CertificateStatus certificate) {
        return "{\"names\":["
                + certificate.names().stream().map(Inspect::quote).collect(Collectors.joining(","))
                + "],\"issuer\":" + certificate.issuer().map(Inspect::quote).orElse("null")
                + ",\"notAfter\":"
                + certificate
                        .notAfter()
                        .map(end -> Inspect.quote(end.toString()))
                        .orElse("null")
                + "}";
    }
}
