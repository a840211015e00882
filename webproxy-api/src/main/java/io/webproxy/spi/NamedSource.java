package io.webproxy.spi;

import io.webproxy.tls.CertificateSource;
import java.util.List;

/** A source that is used only for some names. */
public final class NamedSource implements CertificateSource {
    private final List<String> names;
    private final CertificateSource source;

    /** Copies the list. */
    public NamedSource(List<String> names, CertificateSource source) {
        this.names = List.copyOf(names);
        this.source = source;
    }

    /** DNS names, wildcards such as {@code *.example.com} and IP addresses, canonical, at least one. */
    public List<String> names() {
        return names;
    }

    /** The source for them. */
    public CertificateSource source() {
        return source;
    }

    @Override
    public String toString() {
        return "forNames(" + String.join(", ", names) + ": " + source + ")";
    }
}
