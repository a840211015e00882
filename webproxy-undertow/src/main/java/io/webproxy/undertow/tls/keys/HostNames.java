package io.webproxy.undertow.tls.keys;

import java.util.Locale;
import java.util.Set;

/** Normalises and matches host names in certificates and SNI. */
public final class HostNames {
    private HostNames() {}

    /** A host name in lower case, without the final dot. */
    public static String canonical(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    /**
     * The wildcard name that covers a canonical name, one label at the start (RFC 9525 section 6.3); empty if there is
     * none.
     */
    public static String wildcardOf(String name) {
        int dot = name.indexOf('.');
        return dot > 0 ? "*" + name.substring(dot) : "";
    }

    /** Whether one of these names, canonical or wildcards, covers a canonical name. */
    public static boolean cover(Set<String> names, String name) {
        return names.contains(name) || names.contains(wildcardOf(name));
    }
}
