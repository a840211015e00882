/**
 * Certificates that a certificate authority issues and renews by ACME (RFC 8555).
 *
 * <p>{@link io.webproxy.acme.AcmeCertificates} is the provider to give to a server;
 * {@link io.webproxy.acme.CertificateStore} stores its accounts, keys and certificates, and
 * {@link io.webproxy.acme.DnsRecordPublisher} publishes the DNS records that prove control of a name.
 */
@NullMarked
package io.webproxy.acme;

import org.jspecify.annotations.NullMarked;
