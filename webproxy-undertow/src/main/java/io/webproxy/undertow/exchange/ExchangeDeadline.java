package io.webproxy.undertow.exchange;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deadline of an exchange: the earliest of the idle limit of its timeout class, the limit between two events, and
 * the total limit. An upgrade changes the idle limit, never the moment since which the exchange is idle. Until the
 * response head, the policy's limit of the first byte, if any, takes the place of the class's.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread. Times are nanoseconds of a monotonic clock.
 *
 * <p>Undertow's {@code ProxyHandler} (2.4.4) limits the whole request only, so a healthy stream is cut. Canary:
 * {@code ProxyHandlerDefectsTest.limitCutsWhatIsNotSilent}.
 */
final class ExchangeDeadline {
    private static final Logger LOG = LoggerFactory.getLogger(ExchangeDeadline.class);

    /** The longest limit: adding it to the clock can't overflow. */
    private static final long LONGEST = TimeUnit.DAYS.toNanos(3650);

    private final long start;
    private TimeoutPolicy policy = TimeoutPolicy.defaults();
    private String route = "";
    private TimeoutClass startClass = TimeoutClass.DEFAULT;
    private TimeoutClass timeoutClass = TimeoutClass.DEFAULT;
    private long idle;
    private long total;
    private long lastActivity;
    private long eventSilence;
    private long lastEvent;

    /** No limit yet: it starts with {@link #choose}. */
    ExchangeDeadline(long now) {
        this.start = now;
        this.lastActivity = now;
    }

    TimeoutPolicy policy() {
        return policy;
    }

    /** The class chosen by the request. */
    TimeoutClass startClass() {
        return startClass;
    }

    /** The class in force. */
    TimeoutClass timeoutClass() {
        return timeoutClass;
    }

    /**
     * Lets the request choose the class; {@code ofRoute} is for the log. If the classifier fails, it is
     * {@code DEFAULT}.
     */
    void choose(TimeoutPolicy timeouts, RequestHead request, String ofRoute) {
        route = ofRoute;
        policy = timeouts;
        total = timeouts.total().toNanos();
        try {
            startClass = answered(timeouts.classifier().classify(request));
        } catch (Throwable e) {
            LOG.warn("The timeout classifier failed on route {}; the exchange is DEFAULT", route, e);
        }
        use(startClass);
        if (!timeouts.firstByte().isZero()) {
            idle = timeouts.firstByte().toNanos();
        }
    }

    /**
     * The response head has come: lets it choose a class that waits longer. If the classifier fails, the class stays.
     */
    void upgrade(ResponseHead response) {
        use(timeoutClass);
        try {
            TimeoutClass asked = answered(policy.classifier().upgrade(timeoutClass, response));
            // after a 101 it is no longer the exchange that the request's class was chosen for
            use(response.status() == 101 ? asked : policy.longer(timeoutClass, asked));
        } catch (Throwable e) {
            LOG.warn("The timeout classifier failed on route {}; the exchange stays {}", route, timeoutClass, e);
        }
    }

    private static TimeoutClass answered(@Nullable TimeoutClass answer) {
        return Objects.requireNonNull(answer, "The timeout classifier answered null (expected: a timeout class)");
    }

    private void use(TimeoutClass chosen) {
        timeoutClass = chosen;
        idle = policy.idle(chosen).toNanos();
    }

    /** A byte moved, in either direction. */
    void activity(long now) {
        lastActivity = now;
    }

    /** How long no byte has moved. */
    long silence(long now) {
        return now - lastActivity;
    }

    /** Whether its request has taken one of these routes. */
    boolean isOf(Set<String> routes) {
        return routes.contains(route);
    }

    /** The response is an event stream that can be followed: from now on, the time between two events is limited. */
    void limitEventSilence(long now) {
        eventSilence = policy.eventSilence().toNanos();
        lastEvent = now;
    }

    /** A part of an event passed. */
    void event(long now) {
        lastEvent = now;
    }

    /** Limits the whole exchange to this, unless the policy's total is shorter. */
    void limitTotal(long nanos) {
        long limit = Math.max(1, Math.min(nanos, LONGEST));
        total = total == 0 ? limit : Math.min(total, limit);
    }

    /** Removes the limit of the whole exchange. */
    void liftTotal() {
        total = 0;
    }

    /** Applies the class's idle limit, or that of {@code DEFAULT} if the class has none; the class itself stays. */
    void limitSilence() {
        use(timeoutClass);
        if (idle == 0) {
            idle = policy.idle(TimeoutClass.DEFAULT).toNanos();
        }
    }

    /** The idle limit in nanoseconds; 0 for none. */
    long idle() {
        return idle;
    }

    /** The time of the deadline; {@link Long#MAX_VALUE} for never. */
    long at() {
        long left = idle == 0 ? Long.MAX_VALUE : lastActivity - start + idle;
        if (eventSilence != 0) {
            left = Math.min(left, lastEvent - start + eventSilence);
        }
        if (total != 0) {
            left = Math.min(left, total);
        }
        return left == Long.MAX_VALUE ? Long.MAX_VALUE : start + left;
    }

    /** Whether the total limit has passed. */
    boolean isOverdue(long now) {
        return total != 0 && now - start >= total;
    }
}
