package io.webproxy.undertow.tls;

import javax.net.ssl.SSLContext;

/**
 * A server's TLS context, with the sessions of clients that were accepted by the same trust. Immutable.
 *
 * @param clients which clients are accepted
 */
record ServerContext(SSLContext context, ClientTrust clients) {}
