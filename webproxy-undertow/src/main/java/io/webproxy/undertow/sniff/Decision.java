package io.webproxy.undertow.sniff;

import io.webproxy.spi.PortRule;
import io.webproxy.undertow.sniff.Peeked.ClientHello;
import org.jspecify.annotations.Nullable;

/** Which rule of a port takes a connection, as far as its first bytes tell. */
public sealed interface Decision {
    /** Not known yet: a rule needs more bytes, and no earlier one takes the connection. */
    enum More implements Decision {
        MORE
    }

    /**
     * A rule takes the connection.
     *
     * @param rule the first one that matches
     * @param hello what a TLS client said; null if the rule isn't for TLS
     */
    record Rule(PortRule rule, @Nullable ClientHello hello) implements Decision {}

    /**
     * No rule takes the connection, whatever comes.
     *
     * @param reason why; repeats nothing of the bytes
     * @param hello what a TLS client said, which the alert {@code unrecognized_name} (RFC 6066 section 3) may answer;
     *     null if no rule is for TLS, or it isn't TLS
     */
    record None(String reason, @Nullable ClientHello hello) implements Decision {}

    /**
     * The port has rules for TLS and the bytes start as TLS does, but they can't become a ClientHello, and no other
     * rule takes them.
     *
     * @param alert the code of the alert that answers them (RFC 8446 section 6)
     * @param reason what is wrong; repeats nothing of the bytes
     */
    record Malformed(int alert, String reason) implements Decision {}
}
