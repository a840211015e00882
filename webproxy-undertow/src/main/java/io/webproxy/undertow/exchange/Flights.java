package io.webproxy.undertow.exchange;

import io.webproxy.timeout.TimeoutClass;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * What is in flight at one moment: a census over the IO threads, each of which counts its own exchanges. Thread-safe.
 */
public final class Flights {
    private final Map<TimeoutClass, OfClass> classes = new EnumMap<>(TimeoutClass.class);
    private long bytesIn;
    private long bytesOut;

    /**
     * The exchanges of one timeout class.
     *
     * @param longestSilence the longest time since a byte has moved, in nanoseconds
     */
    public record OfClass(int count, long longestSilence) {}

    private Flights() {}

    /**
     * Counts; completes on one of the threads, or never if one has ended.
     *
     * @param without the names of routes that aren't counted
     */
    static CompletableFuture<Flights> count(Collection<Sweeper> sweepers, Set<String> without) {
        Flights flights = new Flights();
        CompletableFuture<Flights> counted = new CompletableFuture<>();
        int[] left = {sweepers.size()};
        for (Sweeper sweeper : sweepers) {
            IoTasks.execute(sweeper.thread(), () -> {
                Flights own = new Flights();
                long now = sweeper.now();
                sweeper.each(watched -> {
                    if (watched instanceof ExchangeLimits limits && !limits.isOf(without)) {
                        own.add(limits, now);
                    }
                });
                boolean last;
                synchronized (left) {
                    flights.add(own);
                    left[0]--;
                    last = left[0] == 0;
                }
                if (last) {
                    counted.complete(flights);
                }
            });
        }
        return counted;
    }

    private void add(ExchangeLimits limits, long now) {
        add(limits.timeoutClass(), new OfClass(1, limits.silence(now)));
        bytesIn += limits.exchange().bytesIn();
        bytesOut += limits.exchange().bytesOut();
    }

    private void add(TimeoutClass timeoutClass, OfClass more) {
        classes.merge(
                timeoutClass,
                more,
                (one, other) ->
                        new OfClass(one.count + other.count, Math.max(one.longestSilence, other.longestSilence)));
    }

    private void add(Flights other) {
        other.classes.forEach(this::add);
        bytesIn += other.bytesIn;
        bytesOut += other.bytesOut;
    }

    /** By timeout class; without those that have none. */
    public Map<TimeoutClass, OfClass> classes() {
        return classes;
    }

    /** Body bytes that their clients have sent so far. */
    public long bytesIn() {
        return bytesIn;
    }

    /** Body bytes that their clients were sent so far. */
    public long bytesOut() {
        return bytesOut;
    }
}
