package io.webproxy.acme;

import java.util.List;

/**
 * One certificate that is wanted.
 *
 * @param names DNS names, wildcards and IP addresses, canonical, in the order given, at least one
 * @param keyType {@code EC} (P-256) or {@code RSA} (2048)
 */
record Wanted(List<String> names, String keyType) {
    Wanted {
        names = List.copyOf(names);
    }

    /** What it is stored and locked under: its first name and kind of key. */
    String id() {
        return names.get(0) + "/" + keyType;
    }
}
