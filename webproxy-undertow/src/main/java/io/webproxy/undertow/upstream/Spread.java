package io.webproxy.undertow.upstream;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Decides the order in which connections to one upstream try the addresses of its name: each family's in turn;
 * addresses that failed within the last 10 s come after the others, until one attempt tries them again.
 *
 * <p>Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class Spread {
    private static final long AVOIDED_NANOS = 10_000_000_000L;

    private final AtomicInteger turn = new AtomicInteger();
    private final Map<InetAddress, Long> avoidedUntil = new ConcurrentHashMap<>();

    /** The order for the next attempt; families alternate, the system's choice first (RFC 8305 section 4). */
    List<InetAddress> next(List<InetAddress> found, long now) {
        if (found.size() < 2) {
            return found;
        }
        int first = turn.getAndIncrement();
        List<InetAddress> preferred = new ArrayList<>();
        List<InetAddress> other = new ArrayList<>();
        Class<?> family = found.get(0).getClass();
        found.forEach(address -> (address.getClass() == family ? preferred : other).add(address));
        rotate(preferred, first);
        rotate(other, first);
        preferred.addAll(other);
        List<InetAddress> ordered = Connector.interleaved(preferred);
        return avoidedUntil.isEmpty() ? ordered : deadLast(ordered, now);
    }

    private static void rotate(List<InetAddress> addresses, int first) {
        if (addresses.size() > 1) {
            Collections.rotate(addresses, -Math.floorMod(first, addresses.size()));
        }
    }

    private List<InetAddress> deadLast(List<InetAddress> ordered, long now) {
        avoidedUntil.keySet().retainAll(ordered);
        List<InetAddress> sorted = new ArrayList<>();
        List<InetAddress> dead = new ArrayList<>();
        for (InetAddress address : ordered) {
            Long until = avoidedUntil.get(address);
            boolean usable =
                    until == null || (now - until >= 0 && avoidedUntil.replace(address, until, now + AVOIDED_NANOS));
            (usable ? sorted : dead).add(address);
        }
        sorted.addAll(dead);
        return sorted;
    }

    /** An address refused the connection, or another one answered before it. */
    void failed(InetAddress address, long now) {
        avoidedUntil.put(address, now + AVOIDED_NANOS);
    }

    /** An address accepted a connection. */
    void succeeded(InetAddress address) {
        avoidedUntil.remove(address);
    }
}
