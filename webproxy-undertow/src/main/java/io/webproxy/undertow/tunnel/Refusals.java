package io.webproxy.undertow.tunnel;

import io.webproxy.observe.TunnelEvent;
import io.webproxy.spi.TunnelEventData;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.observe.AddressText;
import io.webproxy.undertow.observe.Recorder;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Visitors and agents that a public side refuses: counted for the status, logged, and told to observers. Thread-safe.
 */
final class Refusals {
    /** Why TLS of an agent fails that the agents file doesn't have. */
    static final String UNKNOWN_KEY = "the agents file has no agent with this key";

    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");

    private final PublicState state;
    private final Recorder recorder;
    private final OncePerMinute unknownKey = new OncePerMinute();

    Refusals(PublicState state, Recorder recorder) {
        this.state = state;
        this.recorder = recorder;
    }

    /** A visitor isn't served; whoever refuses it records why. */
    void visitor(Refusal why) {
        state.refusals.computeIfAbsent(why, same -> new LongAdder()).increment();
    }

    /** A data connection isn't let in. */
    void data(Incoming incoming, String detail) {
        String address = AddressText.of(incoming.client());
        state.refusedAgents.increment();
        LOG.debug("{} is refused: {}", address, detail);
        recorder.tunnelChanged(new TunnelEventData(TunnelEvent.Kind.AGENT_REFUSED, address, "", detail));
    }

    /** An agent isn't let in whose key the agents file doesn't have. */
    void key(String fingerprint) {
        state.refusedAgents.increment();
        if (unknownKey.isDue()) {
            LOG.info(
                    "An agent with the key {} is refused, which is logged at most once a minute: {}",
                    fingerprint,
                    UNKNOWN_KEY);
        }
        recorder.tunnelChanged(new TunnelEventData(TunnelEvent.Kind.AGENT_REFUSED, fingerprint, "", UNKNOWN_KEY));
    }

    /** How many visitors weren't served since the start. */
    long visitors() {
        return state.refusals.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /** How many connections of agents weren't let in since the start. */
    long agents() {
        return state.refusedAgents.sum();
    }
}
