package io.webproxy.http;

/**
 * Whether connections begin with a header of the PROXY protocol, by which a load balancer in front says who the client
 * is (HAProxy's proxy-protocol.txt, versions 1 and 2). Only that of a trusted proxy is believed.
 */
public enum ProxyProtocol {
    /** None is expected; one that comes is no HTTP, and ends as such. */
    OFF,
    /** One of a trusted proxy is read; connections without one are served too. */
    OPTIONAL,
    /** Every connection must come from a trusted proxy and begin with one; others are closed. */
    REQUIRED
}
