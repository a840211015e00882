package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.relay.BridgedRelay;
import io.webproxy.undertow.relay.ByteRelay;

/** A visitor that is connected to an agent: the relay, with its counts and its record. Thread-safe. */
final class TunnelRelay {
    private final HandOver handOver;
    private final AgentState agent;
    private final AgentChannel channel;
    private final BridgedRelay relay;

    private TunnelRelay(HandOver handOver, AgentChannel channel, DataConnection data) {
        this.handOver = handOver;
        this.channel = channel;
        this.agent = channel.agent();
        this.relay = new BridgedRelay(
                handOver.incoming().connection(),
                data.connection(),
                handOver.side().buffers(),
                handOver.side().live().bulkBuffers(),
                this::ended);
    }

    /** On the visitor's thread. */
    static void start(HandOver handOver, AgentChannel channel, DataConnection data) {
        TunnelRelay started = new TunnelRelay(handOver, channel, data);
        started.agent.add(started);
        channel.relayStarted();
        handOver.side().live().opened(started, started::abort);
        started.relay.start(handOver.takeEarly(), data.early());
        if (started.agent.isRemoved()) {
            // the agent was removed while this started
            started.abort();
        }
    }

    void abort() {
        relay.abort();
    }

    private void ended(ByteRelay.Ending how) {
        agent.remove(this);
        channel.relayEnded();
        handOver.side().live().ended(this);
        handOver.leave();
        handOver.record(agent.name(), relay.toRight(), relay.toLeft(), RelayEnds.of(how), "");
    }
}
