package io.webproxy.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The meters of one server, which have its name as a tag and are removed together. Thread-safe. */
final class MeterSet {
    /** The tag that tells servers apart. */
    static final String SERVER = "server";

    /** The value of a tag for what is beyond a limit, or isn't among the known. */
    static final String OTHER = "other";

    /** The value of a tag that doesn't apply. */
    static final String NONE = "none";

    /** The meter that shows whether a name is in use. */
    private static final String ALWAYS = "webproxy.connections";

    private final MeterRegistry registry;
    private final Tag server;
    /** With what they read, which registries keep by weak references only. */
    private final Map<Meter, Object> meters = new HashMap<>();

    private volatile boolean closed;

    private MeterSet(MeterRegistry registry, String server) {
        this.registry = registry;
        this.server = Tag.of(SERVER, server);
    }

    /** An empty one; the caller adds the first meters at once. */
    static MeterSet of(MeterRegistry registry, String server) {
        if (registry.find(ALWAYS).tag(SERVER, server).meter() != null) {
            throw new IllegalArgumentException("server: " + server
                    + " (expected: a name that no other server in this registry has, or close() of its metrics first)");
        }
        return new MeterSet(registry, server);
    }

    /** A timer; null once this is closed. */
    @Nullable Timer timer(String name, String description, String... tags) {
        return add(() ->
                Timer.builder(name).description(description).tags(tags(tags)).register(registry));
    }

    /** A counter; null once this is closed. */
    @Nullable Counter counter(String name, String description, @Nullable String unit, String... tags) {
        return add(() -> Counter.builder(name)
                .description(description)
                .baseUnit(unit)
                .tags(tags(tags))
                .register(registry));
    }

    /** A counter that is counted elsewhere; null once this is closed. */
    @Nullable FunctionCounter counterOf(String name, String description, DoubleSupplier value, String... tags) {
        return add(
                () -> FunctionCounter.builder(name, value, DoubleSupplier::getAsDouble)
                        .description(description)
                        .tags(tags(tags))
                        .register(registry),
                value);
    }

    /** A gauge; null once this is closed. */
    @Nullable Gauge gauge(String name, String description, @Nullable String unit, DoubleSupplier value, String... tags) {
        return add(
                () -> Gauge.builder(name, value, DoubleSupplier::getAsDouble)
                        .strongReference(true)
                        .description(description)
                        .baseUnit(unit)
                        .tags(tags(tags))
                        .register(registry),
                value);
    }

    /** Whether it is the value of a tag for many. */
    static boolean isCommon(String name) {
        return name.equals(OTHER) || name.equals(NONE);
    }

    private Tags tags(String... more) {
        return Tags.of(server).and(more);
    }

    private <T extends Meter> @Nullable T add(Supplier<T> registration) {
        return add(registration, this);
    }

    private synchronized <T extends Meter> @Nullable T add(Supplier<T> registration, Object source) {
        if (closed) {
            return null;
        }
        T meter = registration.get();
        meters.put(meter, source);
        return meter;
    }

    /** Removes one meter. */
    synchronized void remove(Meter meter) {
        if (meters.remove(meter) != null) {
            registry.remove(meter);
        }
    }

    /** Removes all, and adds none any more. */
    synchronized void close() {
        closed = true;
        meters.keySet().forEach(registry::remove);
        meters.clear();
    }

    /** Whether the meters are removed. */
    boolean isClosed() {
        return closed;
    }
}
