package io.webproxy.undertow.tunnel;

import io.webproxy.spi.IpLiteral;
import io.webproxy.undertow.deadline.Guard;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Looks up the names of targets and public servers on an executor, and caches results for 30 s. Thread-safe. */
final class HostNames {
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Executor executor;
    private final Lookup lookup;
    private final Map<String, Found> known = new ConcurrentHashMap<>();

    private final Map<String, List<Consumer<List<InetAddress>>>> waiting = new HashMap<>();

    private record Found(List<InetAddress> addresses, long time) {}

    HostNames(Executor executor) {
        this(executor, InetAddress::getAllByName);
    }

    /** With another resolver, which may block. */
    HostNames(Executor executor, Lookup lookup) {
        this.executor = executor;
        this.lookup = lookup;
    }

    /** Resolves a name. */
    @FunctionalInterface
    interface Lookup {
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    /** The addresses of a host, empty if there are none: at once if they are cached, else on the executor. */
    void find(String host, Consumer<List<InetAddress>> answer) {
        InetAddress literal = IpLiteral.parse(host);
        if (literal != null) {
            answer.accept(List.of(literal));
            return;
        }
        Found found = known.get(host);
        if (found != null && System.nanoTime() - found.time < FRESH_NANOS) {
            answer.accept(found.addresses);
            return;
        }
        if (!join(host, answer)) {
            return;
        }
        try {
            executor.execute(
                    () -> Guard.run("a look-up", () -> answer(host, resolve(host)), () -> answer(host, List.of())));
        } catch (RejectedExecutionException e) {
            answer(host, List.of());
        }
    }

    /** Returns whether to look up the host: one look-up serves all that ask meanwhile. */
    private boolean join(String host, Consumer<List<InetAddress>> answer) {
        synchronized (waiting) {
            List<Consumer<List<InetAddress>>> others = waiting.computeIfAbsent(host, same -> new ArrayList<>());
            others.add(answer);
            return others.size() == 1;
        }
    }

    private void answer(String host, List<InetAddress> addresses) {
        List<Consumer<List<InetAddress>>> all;
        synchronized (waiting) {
            all = waiting.remove(host);
        }
        if (all != null) {
            all.forEach(each -> Guard.run("the answer to a look-up", () -> each.accept(addresses)));
        }
    }

    private List<InetAddress> resolve(String host) {
        try {
            List<InetAddress> addresses = List.of(lookup.addresses(host));
            known.put(host, new Found(addresses, System.nanoTime()));
            return addresses;
        } catch (UnknownHostException e) {
            Found before = known.get(host);
            return before == null ? List.of() : before.addresses;
        }
    }
}
