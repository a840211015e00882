package io.webproxy.undertow.port;

import io.webproxy.undertow.deadline.IoTasks;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * The accepted connections of one server. Closed ones are forgotten when the set has doubled since the last look, because a
 * connection has only one close listener, which belongs to its protocol. Thread-safe.
 */
public final class OpenConnections {
    private static final int LEAST = 64;

    private final Set<StreamConnection> all = ConcurrentHashMap.newKeySet();
    private volatile int lookAt = LEAST;

    void add(StreamConnection connection) {
        all.add(connection);
        if (all.size() > lookAt) {
            lookAt = Math.max(LEAST, 2 * count());
        }
    }

    /** How many are open. */
    public int count() {
        all.removeIf(connection -> !connection.isOpen());
        return all.size();
    }

    /** Closes all, on their threads. */
    public void closeAll() {
        all.forEach(connection -> IoTasks.execute(connection.getIoThread(), () -> IoUtils.safeClose(connection)));
    }
}
