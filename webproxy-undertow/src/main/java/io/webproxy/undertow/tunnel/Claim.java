package io.webproxy.undertow.tunnel;

import org.jspecify.annotations.Nullable;

/** What a data connection was requested for. */
sealed interface Claim {
    /**
     * One attempt of a hand-over: a request to an agent, or a ready connection that was given the visitor. Compared by
     * identity.
     */
    final class Attempt implements Claim {
        private final HandOver handOver;
        private final AgentChannel channel;
        /** The agent's id of it; set before the agent is asked. */
        private volatile long id;
        /** The data connection that arrived for it; guarded by this. */
        private @Nullable DataConnection data;
        /** Guarded by this. */
        private boolean over;

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

        /** A data connection has arrived; returns false if the attempt is already over. From any thread. */
        synchronized boolean take(DataConnection given) {
            if (over) {
                return false;
            }
            data = given;
            return true;
        }

        /** The agent has refused, or isn't needed: this side closes the data connection. From any thread. */
        void end() {
            DataConnection mine;
            synchronized (this) {
                over = true;
                mine = data;
            }
            if (mine != null) {
                mine.discard();
            }
        }
    }

    /** A ready connection, for any later visitor. */
    record Ready(AgentChannel channel) implements Claim {}
}
