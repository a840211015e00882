package io.webproxy.undertow.pipeline;

import java.net.InetSocketAddress;
import javax.net.ssl.SSLSession;

/**
 * Which hosts the server's certificates are for. Hosts are in lower case, without port and trailing dot. Thread-safe,
 * never blocks.
 */
public interface HostCertificates {
    /** The host that the client named by SNI in its handshake (RFC 6066 section 3); empty if none. */
    String requestedName(SSLSession session);

    /**
     * Whether the certificate that a client was served is for a host; true if unknown.
     *
     * @param requested the host that the client named by SNI
     * @param local the address that it has reached
     */
    boolean isCovered(String requested, InetSocketAddress local, String host);

    /**
     * Whether there is a certificate for a host; true if unknown.
     *
     * @param local the address that the client has reached
     */
    boolean has(String host, InetSocketAddress local);
}
