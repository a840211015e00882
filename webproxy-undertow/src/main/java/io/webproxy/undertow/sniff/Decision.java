package io.webproxy.undertow.sniff;

import io.webproxy.spi.PortRule;
import io.webproxy.undertow.sniff.Peeked.ClientHello;
import org.jspecify.annotations.Nullable;

/** The rule of a port that takes a connection, as far as its first bytes determine it. */
public sealed interface Decision {
    /** Undecided: a rule needs more bytes, and no earlier one matches. */
    enum More implements Decision {
        MORE
    }

    /**
     * A rule takes the connection.
     *
     * @param rule the first one that matches
     * @param hello the ClientHello; null if the rule isn't for TLS
     */
    record Rule(PortRule rule, @Nullable ClientHello hello) implements Decision {}

    /**
     * No rule takes the connection, whatever follows.
     *
     * @param reason why; repeats nothing of the bytes
     * @param hello the ClientHello, which may be answered by the alert {@code unrecognized_name} (RFC 6066 section 3);
     *     null if no rule is for TLS, or it isn't TLS
     */
    record None(String reason, @Nullable ClientHello hello) implements Decision {}

    /**
     * The port has rules for TLS and the bytes start as TLS does, but they can't become a ClientHello, and no other
     * rule takes them.
     *
     * @param alert code of the alert to send (RFC 8446 section 6)
     * @param reason the problem; repeats nothing of the bytes
     */
    record Malformed(int alert, String reason) implements Decision {}
}
