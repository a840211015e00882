package io.webproxy.undertow.exchange;

import io.webproxy.http.ResponseHead;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Route;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Lease;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The time limits of one exchange, and the {@link Expiry} that is called when one passes: its timeout class, its total
 * limit, the leases of its endpoint and its route, and missing acknowledgements from the client.
 *
 * <p>No limit applies before {@link #watch}. Not thread-safe: it belongs to the exchange's IO thread, whose sweeper
 * looks at it. Times are nanoseconds of a monotonic clock.
 */
public final class ExchangeLimits extends Watched {
    private final Exchange exchange;
    private final Sweeper sweeper;
    private final ExchangeDeadline deadline;
    private final long start;
    private final Lease endpoint;
    /** Null until the route is known. */
    private @Nullable Lease route;

    private @Nullable Expiry expiry;
    private boolean responded;
    private @Nullable LongConsumer whileWaiting;
    private @Nullable AckWatch acks;

    ExchangeLimits(Exchange exchange, Sweeper sweeper, long start, Lease endpoint) {
        this.exchange = exchange;
        this.sweeper = sweeper;
        this.start = start;
        this.deadline = new ExchangeDeadline(start);
        this.endpoint = endpoint;
    }

    /** The timeouts in force. */
    public TimeoutPolicy policy() {
        return deadline.policy();
    }

    /** The class chosen by the request. */
    TimeoutClass startClass() {
        return deadline.startClass();
    }

    /** The class in force. */
    TimeoutClass timeoutClass() {
        return deadline.timeoutClass();
    }

    /** The exchange that is limited. */
    Exchange exchange() {
        return exchange;
    }

    /** How long no byte has moved, in nanoseconds. */
    long silence(long now) {
        return deadline.silence(now);
    }

    /** Whether it is one of these routes. */
    boolean isOf(Set<String> routes) {
        return deadline.isOf(routes);
    }

    /** Whether it has neither an idle nor a total limit. */
    public boolean isWithoutLimit() {
        return deadline.at() == Long.MAX_VALUE;
    }

    /** Whether its route was removed: long-lived exchanges should end. */
    boolean isRouteEnding() {
        return route != null && route.isEnding();
    }

    /**
     * Routes the request, with these timeouts; {@code total} is a further total limit set by its client, negative for
     * none.
     */
    void choose(Route to, TimeoutPolicy timeouts, long total) {
        route = exchange.shared().routes().of(to.name());
        deadline.choose(timeouts, exchange.head(), exchange.route().name());
        if (total >= 0) {
            deadline.limitTotal(total);
        }
        classChanged(0);
    }

    /** The final response head has arrived: ends the wait for it, and may upgrade the timeout class. */
    void responded(ResponseHead response, long now) {
        responded = true;
        whileWaiting = null;
        TimeoutClass before = deadline.timeoutClass();
        deadline.upgrade(response);
        if (deadline.timeoutClass() != before) {
            classChanged(response.status());
        }
        deadline.activity(now);
    }

    /** {@code status}: the upstream's, 0 before its response head. */
    private void classChanged(int status) {
        exchange.shared().recorder().timeoutClassChanged(() -> exchange.record(status));
    }

    /** Starts to count idle time; {@code onExpiry} is called when a limit passes. */
    public void watch(Expiry onExpiry) {
        expiry = onExpiry;
        activity();
        sweeper.watch(this);
    }

    /** Replaces the {@link Expiry}; idle time counts on. */
    public void handOver(Expiry next) {
        expiry = next;
    }

    /** The proxy sends an answer of its own: a client that doesn't read it is cut off, whatever the timeout class. */
    void answering(Expiry onExpiry) {
        whileWaiting = null;
        deadline.limitSilence();
        deadline.liftTotal();
        watch(onExpiry);
    }

    /** Removes the limit of the whole exchange. */
    void liftTotal() {
        deadline.liftTotal();
    }

    /** Calls this with the time of each sweep, until the response begins. */
    public void whileWaiting(LongConsumer look) {
        whileWaiting = responded ? null : look;
    }

    /** A byte moved, in either direction. */
    public void activity() {
        deadline.activity(sweeper.now());
    }

    /** The response is an event stream that can be followed: from now on, the time between two events is limited. */
    public void limitEventSilence() {
        deadline.limitEventSilence(sweeper.now());
    }

    /** A part of an event passed. */
    public void event() {
        deadline.event(sweeper.now());
    }

    /** The client's request body is malformed or above a limit: the {@link Expiry} ends the exchange. */
    public void requestBroken(int with, String detail) {
        if (expiry != null && !exchange.isEnded()) {
            expiry.requestBroken(with, detail);
        }
    }

    /** The exchange is over: no limit applies any more. */
    void ended() {
        sweeper.forget(this);
        Expiry last = expiry;
        if (last != null) {
            Guard.run("what an exchange leaves behind", last::ended);
        }
    }

    @Override
    protected long deadline() {
        return expiry == null ? Long.MAX_VALUE : deadline.at();
    }

    @Override
    protected void expired(long now) {
        if (expiry == null) {
            return;
        }
        if (deadline.isOverdue(now)) {
            expiry.overdue();
        } else {
            expiry.idle();
        }
    }

    @Override
    protected void seen(long now) {
        if (!exchange.isEnded() && (endpoint.isOver(now) || (route != null && route.isOver(now)))) {
            cut();
            return;
        }
        if (expiry != null) {
            expiry.lasting(now);
        }
        if (whileWaiting != null && !exchange.isEnded()) {
            whileWaiting.accept(now);
        }
        if (!exchange.isEnded()
                && exchange.bytesOut() > 0
                && now - start > AckWatch.AFTER_NANOS
                && deadline.idle() != 0) {
            lookForAcks(now);
        }
    }

    /** Bytes that the kernel takes count as activity only while the client acknowledges them. */
    private void lookForAcks(long now) {
        if (acks == null) {
            acks = new AckWatch();
        }
        AckWatch watch = acks;
        if (watch.asks(now, exchange.bytesOut())) {
            String key = TcpTable.key(
                    exchange.http().getConnection().getLocalAddress(InetSocketAddress.class),
                    exchange.http().getConnection().getPeerAddress(InetSocketAddress.class));
            if (key != null) {
                exchange.shared().acks().ask(key, sweeper.thread(), row -> {
                    boolean silent = watch.answered(sweeper.now(), row == null ? 0 : row.unanswered(), deadline.idle());
                    if (silent && !exchange.isEnded() && expiry != null && deadline.idle() != 0) {
                        exchange.failed(ForwardError.CLIENT_ABORTED);
                        expiry.idle();
                    }
                });
            }
        }
    }

    @Override
    protected void cut() {
        if (expiry != null) {
            expiry.cut();
        }
    }
}
