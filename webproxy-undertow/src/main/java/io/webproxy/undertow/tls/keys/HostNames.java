package io.webproxy.undertow.tls.keys;

import java.util.Locale;
import java.util.Set;

/** Host names as certificates and clients have them. */
public final class HostNames {
    private HostNames() {}

    /** A host name in lower case, without the dot at its end. */
    public static String canonical(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    /**
     * The wildcard that covers a canonical name, which stands for one label (RFC 9525 section 6.3); empty if there is
     * none.
     */
    public static String wildcardOf(String name) {
        int dot = name.indexOf('.');
        return dot > 0 ? "*" + name.substring(dot) : "";
    }

    /** Whether one of these names, canonical and wildcards among them, is for a canonical name. */
    public static boolean cover(Set<String> names, String name) {
        return names.contains(name) || names.contains(wildcardOf(name));
    }
}
