/**
 * Certificates that a certificate authority issues and renews by ACME (RFC 8555).
 *
 * <p>{@link io.webproxy.acme.AcmeCertificates} is the provider to give to a server;
 * {@link io.webproxy.acme.CertificateStore} is where it keeps what it has, and
 * {@link io.webproxy.acme.DnsRecordPublisher} how it proves control of a name by the DNS.
 */
@NullMarked
package io.webproxy.acme;

import org.jspecify.annotations.NullMarked;
