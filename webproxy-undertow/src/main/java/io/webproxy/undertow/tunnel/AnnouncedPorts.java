package io.webproxy.undertow.tunnel;

import io.webproxy.ProxyStartException;

/**
 * The ports that agents announce: each is opened when the first agent announces it, and closed when it was announced by
 * none for long. Thread-safe. Opening a port may wait for the system: not for IO threads.
 */
final class AnnouncedPorts {
    private final Registry registry;
    private final PublicSide.Ports ports;

    AnnouncedPorts(Registry registry, PublicSide.Ports ports) {
        this.registry = registry;
        this.ports = ports;
    }

    /** Decides on an agent's offer of a port, and opens the port if that is allowed and it isn't open. */
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

    /** A sentence as others are told it, who end it themselves. */
    private static String withoutPeriod(String sentence) {
        return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    }

    /** Closes the ports that no agent has announced for long. */
    synchronized void closeForgotten() {
        registry.forget().forEach(ports::close);
    }

    /** Closes all of them; none is opened again. */
    void closeAll() {
        ports.closeAll();
    }
}
