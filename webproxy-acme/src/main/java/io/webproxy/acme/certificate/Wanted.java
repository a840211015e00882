package io.webproxy.acme.certificate;

import java.util.List;

/**
 * One certificate that is wanted.
 *
 * @param names DNS names, wildcards and IP addresses, canonical, in the order given, at least one
 * @param keyType {@code EC} (P-256) or {@code RSA} (2048)
 */
public record Wanted(List<String> names, String keyType) {
    public Wanted {
        names = List.copyOf(names);
    }

    /** What it is stored and locked under: its first name and kind of key. */
    public String id() {
        return names.get(0) + "/" + keyType;
    }
}
