package io.webproxy.acme.certificate;

import java.util.List;

/**
 * A certificate to obtain.
 *
 * @param names DNS names, wildcards and IP addresses, canonical, in the order given, at least one
 * @param keyType {@code EC} (P-256) or {@code RSA} (2048)
 */
public record Wanted(List<String> names, String keyType) {
    public Wanted {
        names = List.copyOf(names);
    }

    /** Its key in the store and its lock: first name and key type. */
    public String id() {
        return names.get(0) + "/" + keyType;
    }
}
