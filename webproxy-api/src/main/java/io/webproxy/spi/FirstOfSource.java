package io.webproxy.spi;

import io.webproxy.tls.Certificates;
import java.util.List;

/** Several sources; the first one with a certificate for a client serves it. */
public final class FirstOfSource implements Certificates {
    private final List<Certificates> sources;

    /** Copies the list. */
    public FirstOfSource(List<Certificates> sources) {
        this.sources = List.copyOf(sources);
    }

    /** The sources in order, at least one. */
    public List<Certificates> sources() {
        return sources;
    }

    @Override
    public String toString() {
        return "firstOf("
                + String.join(", ", sources.stream().map(Object::toString).toList()) + ")";
    }
}
