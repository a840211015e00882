package io.webproxy.undertow.pipeline;

import io.undertow.server.ServerConnection;
import io.undertow.util.AttachmentKey;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.net.InetSocketAddress;
import javax.net.ssl.SSLSession;

/**
 * Refuses with 421 requests on a connection that was opened for another host (RFC 9110 section 15.5.20). Clients share
 * HTTP/2 connections among the hosts of a certificate (RFC 9113 section 9.1.1), so there the certificate decides.
 * Clients without SNI may request every host. Thread-safe.
 */
final class Misdirection implements Stage {
    private static final AttachmentKey<String> REQUESTED = AttachmentKey.create(String.class);

    private final HostCertificates certificates;

    Misdirection(HostCertificates certificates) {
        this.certificates = certificates;
    }

    @Override
    public boolean pass(Passage passage) {
        if (isOfAnotherHost(passage.exchange(), passage.settings(), passage.host())) {
            LocalAnswer.reject(
                    passage.exchange(), 421, "This connection was opened for another host: open one for this host.");
            return false;
        }
        return true;
    }

    /**
     * Whether the client has to open another connection for this host. If clients are asked for certificates, a
     * connection serves only the host it was opened for, because each host may ask for others. Else an HTTP/2
     * connection serves the hosts of its certificate.
     *
     * @param host as {@code HostPattern.hostOf} gives it
     */
    private boolean isOfAnotherHost(Exchange exchange, Settings now, String host) {
        ServerConnection connection = exchange.http().getConnection();
        SSLSession session = connection.getSslSession();
        boolean asked = !now.clientCertificates().isOff();
        if (session == null || host.isEmpty() || (!asked && !exchange.client().isMultiplexed())) {
            return false;
        }
        String requested = requested(connection, session);
        return !requested.isEmpty()
                && !requested.equals(host)
                && (asked || !certificates.isCovered(requested, local(connection), host));
    }

    /** Whether a host over TLS is unknown: it has neither a route nor a certificate. */
    boolean isUnknown(Exchange exchange, Settings now, String host) {
        ServerConnection connection = exchange.http().getConnection();
        return connection.getSslSession() != null
                && !host.isEmpty()
                && !now.routes().hasHost(host)
                && !certificates.has(host, local(connection));
    }

    private String requested(ServerConnection connection, SSLSession session) {
        String requested = connection.getAttachment(REQUESTED);
        if (requested == null) {
            requested = certificates.requestedName(session);
            connection.putAttachment(REQUESTED, requested);
        }
        return requested;
    }

    private static InetSocketAddress local(ServerConnection connection) {
        return connection.getLocalAddress(InetSocketAddress.class);
    }
}
