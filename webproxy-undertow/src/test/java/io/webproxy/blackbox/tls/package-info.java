/** Certificates: where they come from, which one is served, and those of clients. */
package io.webproxy.blackbox.tls;
