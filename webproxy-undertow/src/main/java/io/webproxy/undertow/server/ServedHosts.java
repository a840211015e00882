package io.webproxy.undertow.server;

import io.webproxy.undertow.pipeline.HostCertificates;
import io.webproxy.undertow.tls.ServerTls;
import java.net.InetSocketAddress;
import java.util.function.Supplier;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Which hosts the server's current certificates are for.
 *
 * @param tls the current TLS; null before there is an HTTPS endpoint
 */
record ServedHosts(Supplier<@Nullable ServerTls> tls) implements HostCertificates {
    @Override
    public String requestedName(SSLSession session) {
        return ServerTls.requestedName(session);
    }

    @Override
    public boolean isCovered(String requested, InetSocketAddress local, String host) {
        ServerTls serving = tls.get();
        return serving == null || serving.isCovered(requested, local, host);
    }

    @Override
    public boolean has(String host, InetSocketAddress local) {
        ServerTls serving = tls.get();
        return serving == null || serving.hasCertificate(host, local);
    }
}
