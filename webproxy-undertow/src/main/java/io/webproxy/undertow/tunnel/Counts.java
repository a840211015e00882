package io.webproxy.undertow.tunnel;

import io.webproxy.http.AddressRange;
import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** How many visitors there are: of a client address, of a name, in all. Thread-safe. */
final class Counts {
    private final Map<AddressRange, Integer> byClient = new ConcurrentHashMap<>();
    private final Map<Message.Item, Integer> byItem = new ConcurrentHashMap<>();
    private final AtomicInteger all = new AtomicInteger();
    private volatile Limits limits;

    /** The most at once; 0 for no limit. */
    record Limits(int perClient, int perItem) {}

    Counts(Limits limits) {
        this.limits = limits;
    }

    void limits(Limits others) {
        limits = others;
    }

    /** Counts a visitor; what is given says which limit is reached, null if none is. */
    @Nullable String enter(InetAddress client, Message.Item item) {
        Limits now = limits;
        AddressRange address = AddressRange.clientOf(client);
        if (isAbove(byClient.merge(address, 1, Integer::sum), now.perClient)) {
            leave(byClient, address);
            return "its address has " + now.perClient + " connections";
        }
        if (isAbove(byItem.merge(item, 1, Integer::sum), now.perItem)) {
            leave(byItem, item);
            leave(byClient, address);
            return "it has " + now.perItem + " connections";
        }
        all.incrementAndGet();
        return null;
    }

    private static boolean isAbove(int count, int limit) {
        return limit > 0 && count > limit;
    }

    void leave(InetAddress client, Message.Item item) {
        leave(byClient, AddressRange.clientOf(client));
        leave(byItem, item);
        all.decrementAndGet();
    }

    private static <K> void leave(Map<K, Integer> counts, K key) {
        counts.computeIfPresent(key, (same, count) -> count == 1 ? null : count - 1);
    }

    int all() {
        return all.get();
    }
}
