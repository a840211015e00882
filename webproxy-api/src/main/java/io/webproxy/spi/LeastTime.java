package io.webproxy.spi;

import io.webproxy.route.Balancing;

/** The balancing by time to the first byte, which the engine implements: only it sees responses. */
public enum LeastTime implements Balancing {
    /** The only one; its state is the engine's. */
    INSTANCE;

    /** Without an engine nothing is known of times: the one with the fewest requests in flight. */
    @Override
    public int choose(Choice choice) {
        int best = 0;
        for (int i = 1; i < choice.count(); i++) {
            if (choice.inFlight(i) < choice.inFlight(best)) {
                best = i;
            }
        }
        return best;
    }

    @Override
    public String toString() {
        return "leastTime";
    }
}
