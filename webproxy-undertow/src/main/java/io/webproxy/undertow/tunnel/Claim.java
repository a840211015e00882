package io.webproxy.undertow.tunnel;

import org.jspecify.annotations.Nullable;

/** What a data connection was asked for. */
sealed interface Claim {
    /** One try of a hand-over: a request to an agent, or a ready connection that has got its visitor. By identity. */
    final class Attempt implements Claim {
        private final HandOver handOver;
        private final AgentChannel channel;
        /** As the agent knows it; set before the agent is asked. */
        private volatile long id;
        /** The data connection that has come for it; guarded by this. */
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

        /** A data connection has come; returns false if the attempt is over meanwhile. From any thread. */
        synchronized boolean take(DataConnection given) {
            if (over) {
                return false;
            }
            data = given;
            return true;
        }

        /**
         * The agent has refused, or isn't needed: it leaves the data connection to this side to close. From any thread.
         */
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

    /** A connection for whoever comes next. */
    record Ready(AgentChannel channel) implements Claim {}
}
