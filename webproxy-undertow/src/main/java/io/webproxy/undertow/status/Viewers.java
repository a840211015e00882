package io.webproxy.undertow.status;

import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.exchange.EventStream;
import io.webproxy.undertow.exchange.Exchange;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Those who follow the status: a fixed number, each with at most two messages. Thread-safe. */
final class Viewers {
    /** How many there may be. */
    static final int MOST = 16;

    private final AtomicInteger count = new AtomicInteger();
    private final Set<EventStream> streams = ConcurrentHashMap.newKeySet();

    /** Takes a place; false if there is none left. */
    boolean enter() {
        return count.getAndUpdate(now -> now < MOST ? now + 1 : now) < MOST;
    }

    /** Opens the stream of a client that has a place; on the exchange's IO thread. */
    void open(Exchange exchange, Map<String, String> fields) {
        EventStream[] opened = new EventStream[1];
        boolean[] left = new boolean[1];
        opened[0] = EventStream.open(exchange, fields, () -> {
            left[0] = true;
            count.decrementAndGet();
            if (opened[0] != null) {
                streams.remove(opened[0]);
            }
        });
        if (!left[0]) {
            streams.add(opened[0]);
        }
    }

    int count() {
        return count.get();
    }

    /** Sends a message to all; from any thread. */
    void send(byte[] message) {
        streams.forEach(stream -> IoTasks.execute(stream.exchange().http().getIoThread(), () -> stream.send(message)));
    }

    /** Ends all streams. */
    void end() {
        streams.forEach(stream -> IoTasks.execute(stream.exchange().http().getIoThread(), stream::end));
    }
}
