package io.webproxy.undertow.tunnel;

/** What a data connection was asked for. */
sealed interface Claim {
    /** One try of a hand-over: a request to an agent, or a ready connection that has got its visitor. By identity. */
    final class Attempt implements Claim {
        private final HandOver handOver;
        private final AgentChannel channel;
        /** As the agent knows it; set before the agent is asked. */
        private volatile long id;

        Attempt(HandOver handOver, AgentChannel channel) {
            this.handOver = handOver;
            this.channel = channel;
        }

        HandOver handOver() {
            return handOver;
        }

        AgentChannel channel() {
            return channel;
        }

        long id() {
            return id;
        }

        void id(long given) {
            id = given;
        }
    }

    /** A connection for whoever comes next. */
    record Ready(AgentChannel channel) implements Claim {}
}
