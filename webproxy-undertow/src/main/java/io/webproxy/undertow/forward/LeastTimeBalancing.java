package io.webproxy.undertow.forward;

import io.webproxy.route.Balancing;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Balancing by the time to the first byte: the upstream whose expected time ({@link Latency}), times its requests in
 * flight and one more, is the shortest. Thread-safe.
 */
final class LeastTimeBalancing implements Balancing {
    private final AtomicInteger turn = new AtomicInteger();

    @Override
    public int choose(Choice choice) {
        UpstreamChoice among = (UpstreamChoice) choice;
        long now = among.now();
        int count = among.count();
        double worst = 1;
        for (int i = 0; i < count; i++) {
            worst = Math.max(worst, among.candidate(i).latency().average());
        }
        int first = Math.floorMod(turn.getAndIncrement(), count);
        int best = first;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            int index = (first + i) % count;
            double cost = among.candidate(index).latency().cost(among.inFlight(index), worst, now);
            if (cost < least) {
                best = index;
                least = cost;
            }
        }
        among.candidate(best).latency().chosen(now);
        return best;
    }
}
