package io.webproxy.spi;

import io.webproxy.tls.CertificateSource;
import java.util.List;

/** Several sources, of which the first that has something for a client serves it. */
public final class FirstOfSource implements CertificateSource {
    private final List<CertificateSource> sources;

    /** Copies the list. */
    public FirstOfSource(List<CertificateSource> sources) {
        this.sources = List.copyOf(sources);
    }

    /** In the order in which they are asked, at least one. */
    public List<CertificateSource> sources() {
        return sources;
    }

    @Override
    public String toString() {
        return "firstOf("
                + String.join(", ", sources.stream().map(Object::toString).toList()) + ")";
    }
}
