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
 * Records the visitors and agents that a public side refuses: counts them for the status, logs them, and tells
 * observers. Thread-safe.
 */
final class Refusals {
    /** Why an agent's TLS handshake fails if the agents file doesn't list its key. */
    static final String UNKNOWN_KEY = "the agents file has no agent with this key";

    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");

    private final PublicState state;
    private final Recorder recorder;
    private final OncePerMinute unknownKey = new OncePerMinute();

    Refusals(PublicState state, Recorder recorder) {
        this.state = state;
        this.recorder = recorder;
    }

    /** A visitor isn't served; the caller writes the record. */
    void visitor(Refusal why) {
        state.refusals.computeIfAbsent(why, same -> new LongAdder()).increment();
    }

    /** A data connection is refused. */
    void data(Incoming incoming, String detail) {
        String address = AddressText.of(incoming.client());
        state.refusedAgents.increment();
        LOG.debug("{} is refused: {}", address, detail);
        tell(address, detail);
    }

    /** An agent is refused because the agents file doesn't list its key. */
    void key(String fingerprint) {
        state.refusedAgents.increment();
        if (unknownKey.isDue()) {
            LOG.info(
                    "An agent with the key {} is refused, which is logged at most once a minute: {}",
                    fingerprint,
                    UNKNOWN_KEY);
        }
        tell(fingerprint, UNKNOWN_KEY);
    }

    private void tell(String peer, String detail) {
        TunnelEvent event = new TunnelEventData(peer, "", detail);
        recorder.tell(observer -> observer.tunnelAgentRefused(event));
    }

    /** Number of refused visitors since the start. */
    long visitors() {
        return state.refusals.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /** Number of refused connections of agents since the start. */
    long agents() {
        return state.refusedAgents.sum();
    }
}
