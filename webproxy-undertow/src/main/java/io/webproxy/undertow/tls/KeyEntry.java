package io.webproxy.undertow.tls;

import io.webproxy.http.IpLiteral;
import java.net.InetAddress;
import java.security.PrivateKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A key with its certificate chain, leaf first, and what the leaf is for. Immutable; {@code toString} shows names only.
 */
final class KeyEntry {
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;

    private final PrivateKey key;
    private final List<X509Certificate> chain;
    private final Set<String> names;
    private final Set<InetAddress> addresses;

    private KeyEntry(PrivateKey key, List<X509Certificate> chain, Set<String> names, Set<InetAddress> addresses) {
        this.key = key;
        this.chain = List.copyOf(chain);
        this.names = names;
        this.addresses = addresses;
    }

    /** An entry for what the leaf's subjectAltName says (RFC 5280 section 4.2.1.6); the common name doesn't count. */
    static KeyEntry of(PrivateKey key, List<X509Certificate> chain) throws CertificateParsingException {
        Set<String> names = new LinkedHashSet<>();
        Set<InetAddress> addresses = new LinkedHashSet<>();
        Collection<List<?>> alternatives = chain.get(0).getSubjectAlternativeNames();
        if (alternatives != null) {
            for (List<?> alternative : alternatives) {
                if (alternative.get(0).equals(DNS_NAME)) {
                    names.add(canonical(String.valueOf(alternative.get(1))));
                } else if (alternative.get(0).equals(IP_ADDRESS)) {
                    InetAddress address = IpLiteral.parse(String.valueOf(alternative.get(1)));
                    if (address != null) {
                        addresses.add(address);
                    }
                }
            }
        }
        return new KeyEntry(key, chain, names, addresses);
    }

    /** A host name in lower case, without the dot at its end. */
    static String canonical(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    PrivateKey key() {
        return key;
    }

    List<X509Certificate> chain() {
        return chain;
    }

    X509Certificate leaf() {
        return chain.get(0);
    }

    /** The leaf's DNS names, canonical, wildcards among them. */
    Set<String> names() {
        return names;
    }

    /** The leaf's IP addresses. */
    Set<InetAddress> addresses() {
        return addresses;
    }

    /** Whether the leaf names a canonical host; a wildcard stands for one label (RFC 9525 section 6.3). */
    boolean covers(String host) {
        InetAddress address = IpLiteral.parse(host);
        if (address != null) {
            return addresses.contains(address);
        }
        int dot = host.indexOf('.');
        return names.contains(host) || (dot > 0 && names.contains("*" + host.substring(dot)));
    }

    /** {@code RSA}, {@code EC}, {@code RSASSA-PSS} or {@code EdDSA}, as key managers are asked for it. */
    String keyType() {
        return leaf().getPublicKey().getAlgorithm();
    }

    boolean servesTheSameAs(KeyEntry other) {
        return names.equals(other.names) && addresses.equals(other.addresses);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(keyType()).append(" certificate for ");
        text.append(String.join(", ", names));
        for (InetAddress address : addresses) {
            text.append(text.charAt(text.length() - 1) == ' ' ? "" : ", ").append(address.getHostAddress());
        }
        if (names.isEmpty() && addresses.isEmpty()) {
            text.append(leaf().getSubjectX500Principal().getName());
        }
        return text.append(", valid until ")
                .append(leaf().getNotAfter().toInstant())
                .toString();
    }
}
