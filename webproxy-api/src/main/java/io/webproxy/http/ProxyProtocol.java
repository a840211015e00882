package io.webproxy.http;

/**
 * Whether connections start with a PROXY header, by which a load balancer names the client (HAProxy's
 * proxy-protocol.txt, versions 1 and 2). Only a trusted proxy's is believed.
 */
public enum ProxyProtocol {
    /** No header is expected; one that arrives is refused as invalid HTTP. */
    OFF,
    /** A trusted proxy's header is read; connections without one are served too. */
    OPTIONAL,
    /** Every connection must come from a trusted proxy and start with a header; others are closed. */
    REQUIRED
}
