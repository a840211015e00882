package io.webproxy.tls;

import io.webproxy.spi.FirstOfSource;
import io.webproxy.spi.NamedSource;
import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;

/**
 * A source of server certificates and their keys: made by {@link Certificates}, or a {@link CertificateProvider}.
 * Passwords never show in {@code toString}.
 */
public sealed interface CertificateSource
        permits CertificateProvider, SelfSigned, PemSource, Pkcs12Source, FirstOfSource, NamedSource {}
