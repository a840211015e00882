package io.webproxy.undertow.sniff;

import io.webproxy.spi.PortRule;
import io.webproxy.undertow.sniff.Peeked.ClientHello;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds the rule that takes a connection. The rules are tried in order; while one needs more bytes, no later one wins,
 * even if it matches already.
 *
 * <p>Pure, bounded and total: input may be split anywhere, and any input is an answer, not an exception. A ClientHello
 * is read once, however it arrives. One detection serves one connection. Not thread-safe.
 */
public final class PortDetection {
    /**
     * The most bytes that a decision needs: a ClientHello of 16 KiB with its record headers. All other protocols need
     * at most 4.5 KiB.
     */
    public static final int MAX_BYTES = ClientHelloParser.MAX_BYTES;

    private final List<PortRule> rules;
    private final Predicate<ClientHello> tunnelled;
    private int next;
    private @Nullable ClientHelloParser parser;
    private int parsed;
    private Peeked peeked = Peeked.More.MORE;
    private Decision decision = Decision.More.MORE;

    /** For a new connection of a port without tunnels. */
    PortDetection(List<PortRule> rules) {
        this(rules, hello -> false);
    }

    /**
     * For a new connection.
     *
     * @param rules those that apply to its client, in order; neither changed nor copied
     * @param tunnelled whether an agent has announced the name that a TLS client asks for
     */
    public PortDetection(List<PortRule> rules, Predicate<ClientHello> tunnelled) {
        this.rules = rules;
        this.tunnelled = tunnelled;
    }

    /**
     * Decides from all bytes received so far, between position and limit; consumes none.
     *
     * @param bytes those of the previous call, and what has arrived since
     * @return the result; once it isn't {@link Decision.More} it doesn't change; without any byte it is {@code More}
     */
    public Decision decide(ByteBuffer bytes) {
        if (decision == Decision.More.MORE && bytes.hasRemaining()) {
            decision = decide(bytes, bytes.remaining());
        }
        return decision;
    }

    private Decision decide(ByteBuffer bytes, int length) {
        for (; next < rules.size(); next++) {
            PortRule rule = rules.get(next);
            Answer answer = answer(rule, bytes, length);
            if (answer == Answer.MATCH) {
                return new Decision.Rule(rule, isTls(rule) && peeked instanceof ClientHello hello ? hello : null);
            }
            if (answer == Answer.MORE) {
                return Decision.More.MORE;
            }
        }
        if (peeked instanceof Peeked.Malformed malformed) {
            return new Decision.Malformed(malformed.alert(), malformed.reason());
        }
        if (peeked instanceof ClientHello hello) {
            return new Decision.None("a ClientHello that no rule is for", hello);
        }
        return new Decision.None("bytes that no rule is for", null);
    }

    private static boolean isTls(PortRule rule) {
        return switch (rule.protocol()) {
            case TLS, TUNNEL_AGENT, TUNNEL_CLIENT -> true;
            default -> false;
        };
    }

    private Answer answer(PortRule rule, ByteBuffer bytes, int length) {
        return switch (rule.protocol()) {
            case SSH -> Detectors.ssh(bytes, length);
            case TLS -> tls(bytes, hello -> rule.sni().matches(hello.serverName(), hello.protocols()));
            case TUNNEL_AGENT -> agent(bytes);
            case TUNNEL_CLIENT -> tls(bytes, tunnelled);
            case HTTP -> Detectors.http(bytes, length);
            case SOCKS5 -> Detectors.socks5(bytes, length);
            case OPENVPN -> Detectors.openVpn(bytes, length);
            case POSTGRESQL -> Detectors.postgreSql(bytes, length);
            case PROXY_HEADER -> Detectors.proxyHeader(bytes, length);
            case BYTES ->
                rule.pattern()
                        .map(pattern -> Detectors.pattern(pattern, bytes, length))
                        .orElse(Answer.NO);
        };
    }

    /** Recognises a data connection by its first bytes, a control channel by its ALPN protocol. */
    private Answer agent(ByteBuffer bytes) {
        if (TunnelMark.mayBeData(bytes)) {
            return bytes.remaining() < TunnelMark.length() ? Answer.MORE : Answer.MATCH;
        }
        return tls(bytes, hello -> hello.protocols().contains(TunnelMark.PROTOCOL));
    }

    private Answer tls(ByteBuffer bytes, Predicate<ClientHello> wanted) {
        int length = bytes.remaining();
        Answer shape = Detectors.tls(bytes, length);
        if (shape != Answer.MATCH) {
            return shape;
        }
        if (peeked == Peeked.More.MORE) {
            parse(bytes, length);
        }
        if (peeked instanceof ClientHello hello) {
            return Answer.of(wanted.test(hello));
        }
        return peeked == Peeked.More.MORE ? Answer.MORE : Answer.NO;
    }

    /** Feeds the parser the bytes that it hasn't seen, and restores the buffer. */
    private void parse(ByteBuffer bytes, int length) {
        int start = bytes.position();
        int limit = bytes.limit();
        ClientHelloParser hello = parser == null ? new ClientHelloParser() : parser;
        parser = hello;
        bytes.limit(start + length).position(start + parsed);
        peeked = hello.feed(bytes);
        parsed = bytes.position() - start;
        bytes.limit(limit).position(start);
    }
}
