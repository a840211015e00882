package io.webproxy.undertow.tls;

import javax.net.ssl.SSLContext;

/**
 * A TLS context of the server's side, with the sessions of clients that were let in by the same trust. Immutable.
 *
 * @param clients who is let in
 */
record ServerContext(SSLContext context, ClientTrust clients) {}
