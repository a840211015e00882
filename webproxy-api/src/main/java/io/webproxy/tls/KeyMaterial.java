package io.webproxy.tls;

import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.security.PrivateKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * A key with its certificate chain, leaf first, and the leaf's names by its subjectAltName (RFC 5280 section 4.2.1.6);
 * the common name is ignored. Immutable; {@code toString} shows no part of the key.
 */
public final class KeyMaterial {
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;

    private final PrivateKey key;
    private final List<X509Certificate> chain;
    private final Set<String> names;
    private final Set<InetAddress> addresses;

    private KeyMaterial(PrivateKey key, List<X509Certificate> chain, Set<String> names, Set<InetAddress> addresses) {
        this.key = key;
        this.chain = chain;
        this.names = names;
        this.addresses = addresses;
    }

    /**
     * A key and its certificate chain. The caller has to check that they match.
     *
     * @param chain leaf first, each certificate followed by its issuer's; the root may be left out
     * @throws IllegalArgumentException if the chain is empty, or the leaf's names can't be read
     */
    public static KeyMaterial of(PrivateKey key, List<X509Certificate> chain) {
        Objects.requireNonNull(key, "key");
        List<X509Certificate> copy = List.copyOf(Objects.requireNonNull(chain, "chain"));
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("chain: empty (expected: at least the certificate of the key)");
        }
        Set<String> names = new LinkedHashSet<>();
        Set<InetAddress> addresses = new LinkedHashSet<>();
        for (List<?> alternative : alternatives(copy.get(0))) {
            if (alternative.get(0).equals(DNS_NAME)) {
                names.add(canonical(String.valueOf(alternative.get(1))));
            } else if (alternative.get(0).equals(IP_ADDRESS)) {
                InetAddress address = IpLiteral.parse(String.valueOf(alternative.get(1)));
                if (address != null) {
                    addresses.add(address);
                }
            }
        }
        return new KeyMaterial(key, copy, Set.copyOf(names), Set.copyOf(addresses));
    }

    private static Collection<List<?>> alternatives(X509Certificate leaf) {
        try {
            Collection<List<?>> alternatives = leaf.getSubjectAlternativeNames();
            return alternatives == null ? List.of() : alternatives;
        } catch (CertificateParsingException e) {
            throw new IllegalArgumentException("chain: the names of its first certificate can't be read", e);
        }
    }

    /** A host name in lower case, without the final dot. */
    private static String canonical(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    /** The private key. */
    public PrivateKey key() {
        return key;
    }

    /** The certificates in the order in which they are sent, leaf first. */
    public List<X509Certificate> chain() {
        return chain;
    }

    /** The certificate for the key. */
    public X509Certificate leaf() {
        return chain.get(0);
    }

    /** The leaf's DNS names in lower case, wildcards among them. */
    public Set<String> names() {
        return names;
    }

    /** The leaf's IP addresses. */
    public Set<InetAddress> addresses() {
        return addresses;
    }

    /** {@code RSA}, {@code EC}, {@code RSASSA-PSS} or {@code EdDSA}. */
    public String keyType() {
        return leaf().getPublicKey().getAlgorithm();
    }

    /** Until when the leaf is valid. */
    public Instant notAfter() {
        return leaf().getNotAfter().toInstant();
    }

    /**
     * Whether the leaf names a host; a wildcard stands for one label (RFC 9525 section 6.3).
     *
     * @param host a DNS name or an IP address, an IPv6 address without brackets
     */
    public boolean covers(String host) {
        InetAddress address = IpLiteral.parse(host);
        if (address != null) {
            return addresses.contains(address);
        }
        String name = canonical(host);
        int dot = name.indexOf('.');
        return names.contains(name) || (dot > 0 && names.contains("*" + name.substring(dot)));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(keyType()).append(" certificate for ");
        text.append(String.join(", ", names.stream().sorted().toList()));
        for (InetAddress address : addresses.stream().sorted(IpLiteral::compare).toList()) {
            text.append(text.charAt(text.length() - 1) == ' ' ? "" : ", ").append(IpLiteral.text(address));
        }
        if (names.isEmpty() && addresses.isEmpty()) {
            text.append(leaf().getSubjectX500Principal().getName());
        }
        return text.append(", valid until ").append(notAfter()).toString();
    }
}
