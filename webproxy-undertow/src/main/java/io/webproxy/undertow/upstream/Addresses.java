package io.webproxy.undertow.upstream;

import io.webproxy.spi.IpLiteral;
import io.webproxy.undertow.deadline.Guard;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Looks up host names on an executor, never on an IO thread, and caches results: for 30 s; after that it still answers
 * at once, and looks the name up again. A name that is no longer found keeps its addresses for 5 minutes. A name whose
 * addresses all refuse connections is looked up again at once, bypassing the JVM's cache. Thread-safe.
 */
final class Addresses {
    private static final long FRESH_NANOS = 30_000_000_000L;
    private static final long USABLE_NANOS = 300_000_000_000L;
    private static final int MOST = 4096;

    /** Resolves names; by the system unless a test replaces it. */
    interface Lookup {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    private record Found(List<InetAddress> addresses, long time, long refreshed) {}

    private final Executor executor;
    private final LongSupplier nanoClock;
    private final Lookup lookup;
    private final Map<String, Found> known = new ConcurrentHashMap<>();
    private final LookAgain lookAgain = new LookAgain();

    Addresses(Executor executor, LongSupplier nanoClock, Lookup lookup) {
        this.executor = executor;
        this.nanoClock = nanoClock;
        this.lookup = lookup;
    }

    /**
     * The addresses of a host, in the system's order.
     *
     * @param host a name, an IPv4 address, or an IPv6 address in brackets
     * @param answer receives the addresses, empty if there are none: at once on the calling thread if they are cached,
     *     else on the executor
     */
    void find(String host, Consumer<List<InetAddress>> answer) {
        InetAddress literal = IpLiteral.parse(host);
        if (literal != null || host.startsWith("[")) {
            answer.accept(literal == null ? List.of() : List.of(literal));
            return;
        }
        long now = nanoClock.getAsLong();
        Found found = known.get(host);
        if (found != null && now - found.time < USABLE_NANOS) {
            if (now - found.refreshed >= FRESH_NANOS
                    && known.replace(host, found, new Found(found.addresses, found.time, now))) {
                run(() -> resolve(host));
            }
            answer.accept(found.addresses);
            return;
        }
        if (!run(() -> Guard.run("the answer of a look-up", () -> answer.accept(resolve(host))))) {
            answer.accept(List.of());
        }
    }

    /**
     * The addresses of a host none of whose addresses could be connected: those of a new look-up, or the cached ones if
     * the last look-up was less than a second ago or finds nothing.
     *
     * @param answer receives the addresses, possibly the same ones: at once on the calling thread, or on the executor
     */
    void again(String host, Consumer<List<InetAddress>> answer) {
        if (IpLiteral.parse(host) != null || host.startsWith("[")) {
            answer.accept(List.of());
            return;
        }
        switch (lookAgain.ask(host, nanoClock.getAsLong(), answer)) {
            case LOOK_UP -> {
                if (!run(() -> lookUpAgain(host))) {
                    answerAgain(host, List.of());
                }
            }
            case REST -> answer.accept(known(host));
            case WAIT -> {}
        }
    }

    private void lookUpAgain(String host) {
        List<InetAddress> found = List.of();
        try {
            found = resolve(lookAgain.spelling(host), host);
        } finally {
            answerAgain(host, found);
        }
    }

    private void answerAgain(String host, List<InetAddress> found) {
        List<InetAddress> addresses = found.isEmpty() ? known(host) : found;
        lookAgain.take(host).forEach(answer -> answer.accept(addresses));
    }

    private List<InetAddress> known(String host) {
        Found found = known.get(host);
        return found == null ? List.of() : found.addresses;
    }

    private boolean run(Runnable task) {
        try {
            executor.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        } catch (Throwable e) {
            // most likely no thread can be started
            Guard.failed("the start of a look-up", e);
            return false;
        }
    }

    /**
     * Filters may choose upstreams by what clients send: of too many names the first ones are cached, and others are
     * looked up each time.
     */
    private void keep(String host, Found found) {
        if (known.size() >= MOST && !known.containsKey(host)) {
            known.values().removeIf(other -> found.time - other.time >= USABLE_NANOS);
        }
        if (known.size() < MOST || known.containsKey(host)) {
            known.put(host, found);
        }
    }

    private List<InetAddress> resolve(String host) {
        return resolve(host, host);
    }

    private List<InetAddress> resolve(String spelled, String host) {
        try {
            List<InetAddress> addresses = List.of(lookup.resolve(spelled));
            long now = nanoClock.getAsLong();
            keep(host, new Found(addresses, now, now));
            return addresses;
        } catch (UnknownHostException e) {
            return List.of();
        } catch (Throwable e) {
            Guard.failed("a look-up of a name", e);
            return List.of();
        }
    }
}
