package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.observe.AddressText;
import io.webproxy.undertow.relay.BridgedRelay;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A visitor that is connected to an agent: the relay, and what counts it. Thread-safe. */
final class TunnelRelay {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.relay");

    private final HandOver handOver;
    private final AgentState agent;
    private final AgentChannel channel;
    private final BridgedRelay relay;
    private final long start = System.nanoTime();

    private TunnelRelay(HandOver handOver, AgentChannel channel, DataConnection data) {
        this.handOver = handOver;
        this.channel = channel;
        this.agent = channel.agent();
        this.relay = new BridgedRelay(
                handOver.incoming().connection(), data.connection(), handOver.side().buffers(), this::ended);
    }

    /** On the visitor's thread. */
    static void start(HandOver handOver, AgentChannel channel, DataConnection data) {
        TunnelRelay started = new TunnelRelay(handOver, channel, data);
        started.agent.add(started);
        channel.relayStarted();
        started.relay.start(handOver.early(), data.early());
    }

    void abort() {
        relay.abort();
    }

    private void ended(boolean clean) {
        agent.remove(this);
        channel.relayEnded();
        handOver.leave();
        LOG.info(
                "client={} rule=tunnel:{} target={} in={} out={} seconds={} end={}",
                AddressText.of(handOver.incoming().client()),
                handOver.wanted(),
                agent.name(),
                relay.toRight(),
                relay.toLeft(),
                (System.nanoTime() - start) / 1_000_000 / 1e3,
                clean ? "closed" : "reset");
    }
}
