package io.webproxy.spi;

import io.webproxy.tls.Certificates;
import java.util.List;

/** A source that is used only for some names. */
public final class NamedSource implements Certificates {
    private final List<String> names;
    private final Certificates source;

    /** Copies the list. */
    public NamedSource(List<String> names, Certificates source) {
        this.names = List.copyOf(names);
        this.source = source;
    }

    /** DNS names, wildcards such as {@code *.example.com} and IP addresses, canonical, at least one. */
    public List<String> names() {
        return names;
    }

    /** The source for them. */
    public Certificates source() {
        return source;
    }

    @Override
    public String toString() {
        return "forNames(" + String.join(", ", names) + ": " + source + ")";
    }
}
