package io.webproxy.undertow.tls;

import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.keys.HostNames;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Answers ACME challenges of type {@code tls-alpn-01} (RFC 8737), with a TLS context for each certificate. Thread-safe.
 *
 * <p>The peeked ClientHello distinguishes challenges from other handshakes: Conscrypt (2.9.0) doesn't know the ALPN
 * protocol yet when it asks for a key. Canary:
 * {@code ConscryptDefectsTest.keysOfAllTypesAreAskedForAndNoProtocolIsKnown}.
 */
public final class TlsChallenges {
    /** RFC 8737 section 3: the only protocol that is offered; offered with others it isn't supported. */
    private static final List<String> PROTOCOLS = List.of("acme-tls/1");

    private final Map<String, SSLContext> byName = new ConcurrentHashMap<>();

    /** Whether a client sends a challenge: then it gets the challenge's certificate, and never any other. */
    public static boolean isChallenge(ClientHello hello) {
        return hello.applicationProtocols().equals(PROTOCOLS);
    }

    /** The context for the name that the client asks for, or null if there is none. */
    public @Nullable SSLContext find(ClientHello hello) {
        return byName.get(hello.serverName().orElse(""));
    }

    /**
     * Starts to answer with a certificate.
     *
     * @param name a DNS name or an IP address
     * @return stops it; idempotent
     */
    public Runnable add(ServerTls tls, String name, KeyMaterial certificate) {
        String asked = askedFor(name);
        SSLContext context = tls.challengeContext(certificate, PROTOCOLS);
        byName.put(asked, context);
        return () -> byName.remove(asked, context);
    }

    /**
     * The SNI of a CA's request: for an address its reverse name (RFC 8738 section 6, RFC 1035 section 3.5, RFC 3596
     * section 2.5).
     */
    static String askedFor(String name) {
        InetAddress address = IpLiteral.parse(name);
        if (address == null) {
            return HostNames.canonical(name);
        }
        byte[] bytes = address.getAddress();
        boolean ipv6 = bytes.length > 4;
        StringBuilder reverse = new StringBuilder();
        for (int i = bytes.length - 1; i >= 0; i--) {
            if (ipv6) {
                reverse.append(Character.forDigit(bytes[i] & 0xf, 16)).append('.');
                reverse.append(Character.forDigit(bytes[i] >> 4 & 0xf, 16)).append('.');
            } else {
                reverse.append(bytes[i] & 0xff).append('.');
            }
        }
        return reverse.append(ipv6 ? "ip6.arpa" : "in-addr.arpa").toString();
    }
}
