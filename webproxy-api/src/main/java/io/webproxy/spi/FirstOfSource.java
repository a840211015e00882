package io.webproxy.spi;

import io.webproxy.tls.CertificateSource;
import java.util.List;

/** Several sources; the first one with a certificate for a client serves it. */
public final class FirstOfSource implements CertificateSource {
    private final List<CertificateSource> sources;

    /** Copies the list. */
    public FirstOfSource(List<CertificateSource> sources) {
        this.sources = List.copyOf(sources);
    }

    /** The sources in order, at least one. */
    public List<CertificateSource> sources() {
        return sources;
    }

    @Override
    public String toString() {
        return "firstOf("
                + String.join(", ", sources.stream().map(Object::toString).toList()) + ")";
    }
}
