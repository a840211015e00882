package io.webproxy.undertow.upstream;

import io.webproxy.undertow.deadline.IoTasks;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import org.xnio.XnioIoThread;

/** The lanes of a pool, one for each IO thread. Thread-safe: work on a lane runs on its thread. */
final class Lanes {
    private final IdentityHashMap<XnioIoThread, Lane> all = new IdentityHashMap<>();

    Lanes(List<XnioIoThread> threads, Function<XnioIoThread, Lane> lane) {
        threads.forEach(thread -> all.put(thread, lane.apply(thread)));
    }

    /** The lane of a thread. */
    Lane of(XnioIoThread thread) {
        Lane lane = all.get(thread);
        if (lane == null) {
            throw new IllegalArgumentException("a thread of another worker: " + thread);
        }
        return lane;
    }

    /** Number of idle connections. */
    int idle() {
        return all.values().stream().mapToInt(Lane::idleCount).sum();
    }

    /** Runs a step on every lane. */
    void each(Consumer<Lane> step) {
        all.forEach((thread, lane) -> IoTasks.execute(thread, () -> step.accept(lane)));
    }

    /** Streams don't change their thread: if another thread's connections hold all places, lets one of them leave. */
    void retireElsewhere(Lane lane) {
        for (Map.Entry<XnioIoThread, Lane> other : all.entrySet()) {
            SharedConnections shared = other.getValue().shared();
            if (shared != null && other.getValue() != lane && shared.count() > 0) {
                IoTasks.execute(other.getKey(), shared::retireOne);
                return;
            }
        }
    }

    /** Closes an idle connection of any lane, if that is still {@code wanted} then. */
    void makeRoom(BooleanSupplier wanted) {
        for (Map.Entry<XnioIoThread, Lane> other : all.entrySet()) {
            if (other.getValue().idleCount() > 0) {
                IoTasks.execute(other.getKey(), () -> {
                    if (wanted.getAsBoolean() && !other.getValue().closeOldestIdle()) {
                        makeRoom(wanted);
                    }
                });
                return;
            }
        }
    }
}
