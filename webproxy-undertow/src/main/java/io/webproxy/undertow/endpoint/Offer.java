package io.webproxy.undertow.endpoint;

import io.webproxy.spi.ClientHelloData;
import io.webproxy.tls.ClientHello;
import io.webproxy.undertow.sniff.Peeked;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Translates a peeked ClientHello to the form that certificates are chosen by (RFC 8446 section 4.1.2, RFC 8422). */
public final class Offer {
    private static final int TLS_1_3 = 0x0304;
    private static final Set<Integer> RSA_SUITES = Set.of(0xc02f, 0xc030, 0xcca8);
    private static final Set<Integer> ECDSA_SUITES = Set.of(0xc02b, 0xc02c, 0xcca9);
    private static final Set<Integer> RSA_SIGNATURES = Set.of(0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201);
    private static final Set<Integer> ECDSA_SIGNATURES = Set.of(0x0403, 0x0503, 0x0603, 0x0203);

    private static final Set<String> BOTH = Set.of("EC", "RSA");
    private static final Set<String> EC = Set.of("EC");
    private static final Set<String> RSA = Set.of("RSA");

    private Offer() {}

    /** The hello of a client that connected to this local address. */
    public static ClientHello of(Peeked.ClientHello said, InetSocketAddress local) {
        boolean tls13 = said.versions().contains(TLS_1_3);
        boolean rsa = canUse(said, tls13, RSA_SUITES, RSA_SIGNATURES);
        boolean ec = canUse(said, tls13, ECDSA_SUITES, ECDSA_SIGNATURES);
        return new ClientHelloData(
                Optional.ofNullable(withoutDot(said.serverName())).filter(name -> !name.isEmpty()),
                said.protocols(),
                local,
                rsa && ec ? BOTH : ec ? EC : rsa ? RSA : Set.of());
    }

    private static @Nullable String withoutDot(@Nullable String name) {
        return name != null && name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    /**
     * Only before TLS 1.3 do the cipher suites say it; a client that names no signature algorithms can verify any (RFC
     * 5246 section 7.4.1.4.1).
     */
    private static boolean canUse(
            Peeked.ClientHello said, boolean tls13, Set<Integer> suites, Set<Integer> signatures) {
        return (tls13 || hasAny(said.cipherSuites(), suites))
                && (said.signatureAlgorithms().isEmpty() || hasAny(said.signatureAlgorithms(), signatures));
    }

    private static boolean hasAny(List<Integer> offered, Set<Integer> wanted) {
        for (int i = 0; i < offered.size(); i++) {
            if (wanted.contains(offered.get(i))) {
                return true;
            }
        }
        return false;
    }
}
