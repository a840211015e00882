package io.webproxy.undertow.tunnel;

import io.webproxy.ProxyStartException;

/**
 * The ports that agents announce: a port is opened when the first agent announces it, and closed some time after the
 * last one is gone. Thread-safe. Opening a port may block: not for IO threads.
 */
final class AnnouncedPorts {
    private final Registry registry;
    private final PublicSide.Ports ports;

    AnnouncedPorts(Registry registry, PublicSide.Ports ports) {
        this.registry = registry;
        this.ports = ports;
    }

    /** Decides about an agent's offer of a port, and opens the port if it is allowed and isn't open. */
    synchronized Message.Verdict announce(AgentChannel channel, AgentEntry agent, Message.Offer offer) {
        Message.Verdict verdict = registry.check(channel, agent, offer);
        if (verdict.isAccepted() && !registry.has(offer.item())) {
            try {
                ports.open(offer.item().port());
            } catch (ProxyStartException e) {
                return new Message.Verdict(Message.Verdict.TAKEN, withoutPeriod(String.valueOf(e.getMessage())));
            }
        }
        return verdict.isAccepted() ? registry.announce(channel, agent, offer) : verdict;
    }

    /** A sentence without its full stop, as messages to agents have it. */
    private static String withoutPeriod(String sentence) {
        return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    }

    /** Closes the ports that no agent has announced for some time. */
    synchronized void closeForgotten() {
        registry.forget().forEach(ports::close);
    }

    /** Closes all of them; none is opened again. */
    void closeAll() {
        ports.closeAll();
    }
}
