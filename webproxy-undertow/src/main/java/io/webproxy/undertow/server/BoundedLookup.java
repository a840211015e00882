package io.webproxy.undertow.server;

import io.webproxy.undertow.deadline.Daemons;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Looks up host names by the system's resolver, all of them within one time limit, so that a start doesn't hang on DNS.
 * Not thread-safe.
 */
final class BoundedLookup implements OwnEndpoints.HostLookup {
    private final OwnEndpoints.HostLookup system;
    private long left;

    /** The limit starts with each instance. */
    BoundedLookup(Duration limit) {
        this(limit, BoundedLookup::resolved);
    }

    BoundedLookup(Duration limit, OwnEndpoints.HostLookup system) {
        this.left = limit.toNanos();
        this.system = system;
    }

    @Override
    public List<InetAddress> addresses(String host) {
        long start = System.nanoTime();
        CompletableFuture<List<InetAddress>> found = new CompletableFuture<>();
        Daemons.thread("webproxy-lookup", () -> found.complete(system.addresses(host)))
                .start();
        try {
            return found.get(Math.max(0, left), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return List.of();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        } finally {
            left -= System.nanoTime() - start;
        }
    }

    private static List<InetAddress> resolved(String host) {
        try {
            return List.of(InetAddress.getAllByName(host));
        } catch (UnknownHostException | RuntimeException e) {
            return List.of();
        }
    }
}
