package io.webproxy.undertow.sniff;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The result of parsing the first bytes of a TLS connection. */
public sealed interface Peeked {
    /** The start of a ClientHello, as far as it goes: more bytes are needed. */
    enum More implements Peeked {
        MORE
    }

    /**
     * Not a ClientHello, whatever follows.
     *
     * @param alert code of the alert to send (RFC 8446 section 6)
     * @param reason the problem; repeats nothing of the bytes
     */
    record Malformed(int alert, String reason) implements Peeked {}

    /**
     * A complete ClientHello. Values without meaning (GREASE, RFC 8701) are left out of the lists of numbers.
     *
     * @param serverName the host name that the client asks for (RFC 6066 section 3), in lower case; empty if it isn't a
     *     valid host name, null if there is none
     * @param protocols offered by ALPN (RFC 7301), in order
     * @param versions offered, in order: {@code supported_versions}, else the one version in the hello itself
     * @param signatureAlgorithms those it can verify (RFC 8446 section 4.2.3), in order
     * @param cipherSuites offered, in order
     */
    record ClientHello(
            @Nullable String serverName,
            List<String> protocols,
            List<Integer> versions,
            List<Integer> signatureAlgorithms,
            List<Integer> cipherSuites)
            implements Peeked {
        /** Makes the lists immutable. */
        public ClientHello {
            protocols = List.copyOf(protocols);
            versions = List.copyOf(versions);
            signatureAlgorithms = List.copyOf(signatureAlgorithms);
            cipherSuites = List.copyOf(cipherSuites);
        }
    }
}
