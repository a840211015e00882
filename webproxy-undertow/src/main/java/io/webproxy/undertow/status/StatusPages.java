package io.webproxy.undertow.status;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStatus;
import io.webproxy.http.Answer;
import io.webproxy.http.StatusPage;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.spi.Access;
import io.webproxy.spi.Listen;
import io.webproxy.undertow.deadline.Daemons;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.Flights;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The status page of a server: nothing at all unless a route or an endpoint has it. Then a thread of its own, of which
 * there is one, looks once a second: it moves what was counted, and while someone watches it makes one snapshot for all
 * viewers. Thread-safe.
 */
public final class StatusPages {
    /** The name of the route that an endpoint has whose answer is the status. */
    public static final String ROUTE = "status page";

    private static final String EVENTS = "text/event-stream";
    private static final long PERIOD_MILLIS = 1000;
    private static final long WAIT_MILLIS = 500;
    /** Requests that come faster share a snapshot. */
    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private static final Map<String, String> STREAM = Map.of(
            "Content-Type",
            EVENTS,
            "Cache-Control",
            "no-store",
            "X-Content-Type-Options",
            "nosniff",
            "Content-Security-Policy",
            "default-src 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy",
            "same-origin",
            "Referrer-Policy",
            "no-referrer");

    private final Exchanges exchanges;
    private final Supplier<ProxyStatus> status;
    private final History history;
    private final Viewers viewers = new Viewers();
    private final StatusDoor door;
    private final long started;
    private volatile @Nullable ProxyConfig config;
    private @Nullable ScheduledExecutorService thread;
    private boolean closed;

    /** Only the thread uses these. */
    private String last = "";

    private long madeAt;
    private @Nullable Flights flights;

    /** Of a server that isn't running yet. */
    public StatusPages(Exchanges exchanges, Supplier<ProxyStatus> status) {
        this.exchanges = exchanges;
        this.status = status;
        this.started = exchanges.nanoClock().getAsLong();
        this.history = new History(started);
        this.door = new StatusDoor(this::isBoundToAll);
    }

    /** Whether a configuration has a status page. */
    private static boolean isIn(ProxyConfig config) {
        return config.listens().stream().anyMatch(Listen::isStatusPage)
                || config.routes().stream().anyMatch(route -> route.statusPage().isPresent());
    }

    /** The observers of a configuration, and what the status page needs. */
    public List<ProxyObserver> observers(ProxyConfig next) {
        if (!isIn(next)) {
            return next.observers();
        }
        List<ProxyObserver> all = new ArrayList<>(next.observers());
        all.add(history);
        return all;
    }

    /** This configuration is in force. */
    public synchronized void update(ProxyConfig next) {
        if (closed) {
            return;
        }
        if (!isIn(next)) {
            config = null;
            viewers.end();
            stop();
            return;
        }
        Set<String> own = new HashSet<>(Set.of(ROUTE));
        Set<String> upstreams = new HashSet<>();
        for (Route route : next.routes()) {
            if (route.statusPage().isPresent()) {
                own.add(route.name());
            }
            route.upstreams().stream().map(Upstream::toString).forEach(upstreams::add);
        }
        history.follow(own, upstreams, exchanges.nanoClock().getAsLong());
        config = next;
        if (thread == null) {
            ScheduledExecutorService made =
                    Executors.newSingleThreadScheduledExecutor(Daemons.named("webproxy-status"));
            var unused = made.scheduleWithFixedDelay(
                    () -> Guard.run("a look at the status", this::look),
                    PERIOD_MILLIS,
                    PERIOD_MILLIS,
                    TimeUnit.MILLISECONDS);
            thread = made;
        }
    }

    /** The server stops: nobody watches any more, so that no viewer holds up its end. */
    public synchronized void close() {
        closed = true;
        viewers.end();
    }

    /** Ends the thread. */
    public synchronized void release() {
        close();
        stop();
    }

    private void stop() {
        ScheduledExecutorService ending = thread;
        thread = null;
        if (ending != null) {
            ending.shutdownNow();
        }
    }

    private synchronized @Nullable Executor executor() {
        return closed ? null : thread;
    }

    private boolean isBoundToAll(int port) {
        return status.get().endpoints().stream()
                .anyMatch(endpoint -> endpoint.address().getPort() == port
                        && endpoint.address().getAddress().isAnyLocalAddress());
    }

    // --- on IO threads ---

    /** The answer to a request for the status; null if it is a stream. */
    public @Nullable CompletionStage<Answer> answer(Exchange exchange, StatusPage page) {
        ProxyConfig now = config;
        Executor executor = executor();
        if (now == null || executor == null) {
            return done(Answer.text(503, "The server is stopping.\n"));
        }
        Access access = exchange.route().access();
        boolean authenticated = access.ownAuthenticator()
                ? access.authenticator().isPresent()
                : now.authenticator().isPresent();
        Answer refusal = door.refusal(exchange, page, authenticated);
        if (refusal != null) {
            return done(refusal);
        }
        String path = exchange.plan().path();
        String below = exchange.route().path().strip(path);
        boolean otherSite = StatusDoor.isOfAnotherSite(exchange.head());
        return switch (below) {
            case "/" -> done(path.endsWith("/") ? PageFile.ANSWER : toDirectory(path));
            case "/status.json" -> otherSite ? done(otherSite()) : snapshot(executor, now);
            case "/events" -> otherSite ? done(otherSite()) : stream(exchange, executor);
            default -> done(Answer.text(404, "There are ./, ./status.json and ./events.\n"));
        };
    }

    private static CompletionStage<Answer> done(Answer answer) {
        return CompletableFuture.completedFuture(answer.withHeader("Cache-Control", "no-store")
                .withHeader("X-Content-Type-Options", "nosniff")
                .withHeader("X-Frame-Options", "DENY")
                .withHeader("Referrer-Policy", "no-referrer")
                .withHeader("Cross-Origin-Resource-Policy", "same-origin")
                .withHeader("Cross-Origin-Opener-Policy", "same-origin"));
    }

    private static Answer otherSite() {
        return Answer.text(403, "The status isn't for pages of other sites.\n");
    }

    /** A page's own links are relative to its directory. */
    private static Answer toDirectory(String path) {
        return Answer.redirect(308, path.substring(path.lastIndexOf('/') + 1) + "/");
    }

    private CompletionStage<Answer> snapshot(Executor executor, ProxyConfig now) {
        try {
            return CompletableFuture.supplyAsync(() -> fresh(now), executor)
                    .thenCompose(json -> done(Answer.of(
                                    200, "application/json", (json + "\n").getBytes(StandardCharsets.UTF_8))
                            .withHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")));
        } catch (RejectedExecutionException e) {
            return done(Answer.text(503, "The server is stopping.\n"));
        }
    }

    private @Nullable CompletionStage<Answer> stream(Exchange exchange, Executor executor) {
        if (exchange.head().method().equals("HEAD")) {
            return done(Answer.of(200, EVENTS, new byte[0]));
        }
        if (!viewers.enter()) {
            return done(Answer.text(503, Viewers.MOST + " others watch the status; try again.\n")
                    .withHeader("Retry-After", "10"));
        }
        viewers.open(exchange, STREAM);
        try {
            executor.execute(() -> Guard.run("the status for a viewer", this::show));
        } catch (RejectedExecutionException e) {
            viewers.end();
        }
        return null;
    }

    // --- on the thread of the status ---

    private void look() {
        if (viewers.count() > 0) {
            show();
        } else {
            flights = null;
            history.sample(exchanges.nanoClock().getAsLong(), null);
        }
    }

    private void show() {
        ProxyConfig now = config;
        if (now != null) {
            viewers.send(("data: " + fresh(now) + "\n\n").getBytes(StandardCharsets.UTF_8));
        }
    }

    private String fresh(ProxyConfig now) {
        long real = System.nanoTime();
        if (last.isEmpty() || real - madeAt > FRESH_NANOS) {
            last = make(now);
            madeAt = System.nanoTime();
        }
        return last;
    }

    private String make(ProxyConfig now) {
        Flights counted = count();
        long time = exchanges.nanoClock().getAsLong();
        history.sample(time, counted);
        return new Snapshot(now, status.get(), history, counted, time, time - started, viewers.count()).json();
    }

    private @Nullable Flights count() {
        try {
            flights = exchanges.flights(history.skipped()).get(WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // a thread is held up: the last census stands
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return flights;
    }
}
