package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.UpstreamEvent;
import io.webproxy.route.Upstream;
import io.webproxy.spi.UpstreamEventData;
import io.webproxy.undertow.message.Deviation;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports failures and recoveries of one upstream: at most one log line and one failure a minute, with the number of
 * those left out, and one when it has recovered. A report held back is made after the minute, if it is still true.
 * Observers learn at once that it goes down, and only once until it is back.
 *
 * <p>Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class UpstreamNews {
    private static final String NO_LEG = "see the log of the upstream, and what its health check asks for";
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.upstream");
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();
    /**
     * An upstream has recovered when it hasn't failed for this long; otherwise one that fails occasionally would
     * recover all the time.
     */
    private static final long STEADY = Duration.ofSeconds(1).toNanos();

    private final String upstream;
    private final LongSupplier nanoClock;
    private final Consumer<Consumer<ProxyObserver>> observers;
    private final BooleanSupplier healthy;
    private final Timer timer;

    private volatile boolean failing;
    private volatile boolean silent;
    private Kind kind = Kind.UP;
    private @Nullable ForwardError error;
    private String sentence = "";
    private long since;
    private long lastFailure;
    private final AtomicBoolean deviationsSaid = new AtomicBoolean();
    private boolean told;
    private boolean downTold;
    private boolean tellingLater;
    private boolean lookingLater;
    private boolean succeededSince;
    private final Rest rest = new Rest();
    private final Rest restOfAnswers = new Rest();
    private final Rest restOfCrowds = new Rest();

    /** What can happen. */
    private enum Kind {
        FAILED,
        DOWN,
        UP;

        /** Tells an observer that it has happened. */
        void tell(ProxyObserver observer, UpstreamEvent event) {
            switch (this) {
                case FAILED -> observer.upstreamFailed(event);
                case DOWN -> observer.upstreamDown(event);
                case UP -> observer.upstreamUp(event);
            }
        }
    }

    /** Runs a task later, on any thread. */
    interface Timer {
        void in(long nanos, Runnable task);
    }

    /** When the last report was, and how many were held back since. */
    private static final class Rest {
        private long time;
        private boolean any;
        private long unsaid;

        boolean isOver(long now) {
            return !any || now - time >= MINUTE;
        }

        /** A report is made now; returns a suffix with the number of those held back. */
        String say(long now) {
            String more = unsaid == 0 ? "" : " (" + unsaid + " more failures since the last line)";
            any = true;
            time = now;
            unsaid = 0;
            return more;
        }
    }

    /** {@code healthy}: whether no health check finds it down. */
    UpstreamNews(
            Upstream upstream,
            LongSupplier nanoClock,
            Timer timer,
            Consumer<Consumer<ProxyObserver>> observers,
            BooleanSupplier healthy) {
        this.timer = timer;
        this.upstream = upstream.toString();
        this.nanoClock = nanoClock;
        this.observers = observers;
        this.healthy = healthy;
    }

    /** A connection couldn't be opened. */
    void failed(ForwardError what, String why) {
        trouble(Kind.FAILED, what, why);
    }

    /** It gets no requests, or only those that no other upstream can take. */
    void down(@Nullable ForwardError what, String why) {
        trouble(Kind.DOWN, what, why);
    }

    private void trouble(Kind what, @Nullable ForwardError leg, String why) {
        String said = null;
        boolean goesDown;
        ForwardError ofSentence;
        synchronized (this) {
            long now = nanoClock.getAsLong();
            if (!failing) {
                failing = true;
                since = now;
                told = false;
            }
            if (kind != Kind.DOWN || what == Kind.DOWN) {
                kind = what;
                error = leg;
                sentence = why;
            }
            goesDown = what == Kind.DOWN && !downTold;
            downTold |= goesDown;
            ofSentence = error;
            lastFailure = now;
            succeededSince = false;
            if (rest.isOver(now)) {
                said = tell(now);
            } else {
                rest.unsaid++;
                if (!tellingLater) {
                    tellingLater = true;
                    timer.in(rest.time + MINUTE - now, this::tellKept);
                }
            }
        }
        log(said, what, ofSentence);
        if (goesDown || (said != null && what == Kind.FAILED)) {
            tell(what, leg, said == null ? why : said);
        }
    }

    private String tell(long now) {
        told = true;
        return sentence + rest.say(now);
    }

    private void tellKept() {
        String said = null;
        Kind what;
        ForwardError leg;
        synchronized (this) {
            tellingLater = false;
            what = kind;
            leg = error;
            long now = nanoClock.getAsLong();
            if (failing && rest.unsaid > 0 && rest.isOver(now)) {
                said = tell(now);
            }
        }
        log(said, what, leg);
        if (said != null && what == Kind.FAILED) {
            tell(what, leg, said);
        }
    }

    /** A connection was opened, or a response has arrived. */
    void succeeded() {
        if (failing) {
            synchronized (this) {
                succeededSince = true;
                if (lookingLater) {
                    return;
                }
                lookingLater = true;
            }
            look();
        }
    }

    /** Checks whether it has recovered, now or when it may have. */
    private void look() {
        synchronized (this) {
            long left = lastFailure + STEADY - nanoClock.getAsLong();
            if (failing && succeededSince && left > 0) {
                timer.in(left, this::look);
                return;
            }
            lookingLater = false;
            if (!succeededSince) {
                return;
            }
        }
        if (healthy.getAsBoolean()) {
            back("it can be reached");
        }
    }

    /** It passes its health check again. */
    void passes(String path) {
        if (healthy.getAsBoolean()) {
            back("it passes its health check " + path);
        }
    }

    private void back(String how) {
        String back = null;
        boolean logged;
        synchronized (this) {
            logged = told;
            if (failing) {
                failing = false;
                kind = Kind.UP;
                if (told || downTold) {
                    long seconds = Math.max(1, (nanoClock.getAsLong() - since) / 1_000_000_000L);
                    back = upstream + " is back: " + how + " again, after " + seconds + " s";
                }
                downTold = false;
            }
        }
        if (back != null) {
            log(logged ? back : null, Kind.UP, null);
            tell(Kind.UP, null, back);
        }
    }

    /** It received a request, and failed to respond properly. */
    void answerFailed(ForwardError what, String why) {
        String said = null;
        synchronized (this) {
            long now = nanoClock.getAsLong();
            if (restOfAnswers.isOver(now)) {
                said = upstream + " failed a request: " + why + restOfAnswers.say(now);
            } else {
                restOfAnswers.unsaid++;
            }
        }
        if (said != null && !silent) {
            LOG.info("{}", advised(said, what.advice()));
            tell(Kind.FAILED, what, said);
        }
    }

    /** A request gets 503 because too many others use it. */
    void crowded(String why) {
        String said = null;
        synchronized (this) {
            long now = nanoClock.getAsLong();
            if (restOfCrowds.isOver(now)) {
                said = restOfCrowds.say(now);
            } else {
                restOfCrowds.unsaid++;
            }
        }
        if (said != null && !silent) {
            LOG.warn("{} takes no more: {}{}; {}", upstream, why, said, ForwardError.POOL_EXHAUSTED.advice());
        }
    }

    /** It sends responses that a leniency admits: said once. */
    void deviates(Set<Deviation> how) {
        if (!silent && deviationsSaid.compareAndSet(false, true)) {
            LOG.warn(
                    "{} breaks HTTP/1.1 in its responses ({}): they are put right, because it is declared lenient, and"
                            + " each costs a connection (expected: an update of the upstream, and a strict one then)",
                    upstream,
                    how.stream().map(Deviation::toString).sorted().collect(Collectors.joining(", ")));
        }
    }

    /** The upstream isn't used any more: no more reports. */
    void end() {
        silent = true;
    }

    /** The same with what a person would do next, unless it says so itself, which is more to the point. */
    private static String advised(String said, String advice) {
        return said.contains("(expected: ") ? said : said + "; " + advice;
    }

    private void log(@Nullable String said, Kind what, @Nullable ForwardError leg) {
        if (said == null || silent) {
            return;
        }
        if (what == Kind.UP) {
            LOG.info("{}", said);
        } else {
            // without a leg the sentence is that of a health check, or of a group that ejects it
            LOG.warn("{}", advised(said, leg == null ? NO_LEG : leg.advice()));
        }
    }

    private void tell(Kind what, @Nullable ForwardError leg, String said) {
        if (silent) {
            return;
        }
        UpstreamEvent event = new UpstreamEventData(upstream, Optional.ofNullable(leg), said);
        observers.accept(observer -> what.tell(observer, event));
    }
}
