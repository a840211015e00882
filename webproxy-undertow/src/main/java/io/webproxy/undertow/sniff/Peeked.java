package io.webproxy.undertow.sniff;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the first bytes of a TLS connection are. */
public sealed interface Peeked {
    /** The begin of a ClientHello, as far as can be told: more bytes are needed. */
    enum More implements Peeked {
        MORE
    }

    /**
     * No ClientHello, whatever comes.
     *
     * @param alert the code of the alert that answers it (RFC 8446 section 6)
     * @param reason what is wrong; repeats nothing of the bytes
     */
    record Malformed(int alert, String reason) implements Peeked {}

    /**
     * A complete ClientHello. Values that nobody means (GREASE, RFC 8701) are left out of the lists of numbers.
     *
     * @param serverName the host name that the client asks for (RFC 6066 section 3), in lower case; empty if it names
     *     one that no host can have, null if it names none
     * @param protocols what it offers by ALPN (RFC 7301), in its order
     * @param versions what it offers, in its order: {@code supported_versions}, else the one version that the hello
     *     itself names
     * @param signatureAlgorithms what it can verify (RFC 8446 section 4.2.3), in its order
     * @param cipherSuites what it offers, in its order
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
