package io.webproxy.undertow.pipeline;

import java.net.InetSocketAddress;
import javax.net.ssl.SSLSession;

/**
 * What the certificates of a server say about hosts, which are lower case, without a port and a trailing dot.
 * Thread-safe, never blocks.
 */
public interface HostCertificates {
    /** The host that the client has named in its handshake (RFC 6066 section 3); empty if none. */
    String requestedName(SSLSession session);

    /**
     * Whether the certificate that a client is given is for a host; true where that can't be known.
     *
     * @param requested what the client has named in its handshake
     * @param local the address that it has reached
     */
    boolean isCovered(String requested, InetSocketAddress local, String host);

    /**
     * Whether there is a certificate for a host; true where that can't be known.
     *
     * @param local the address that the client has reached
     */
    boolean has(String host, InetSocketAddress local);
}
