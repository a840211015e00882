package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.Ejection;
import io.webproxy.undertow.message.Leniency;

/**
 * The health of one upstream as observed by connects and responses: its ejection, and reports to observers and the log.
 * Thread-safe.
 */
public final class ObservedHealth {
    private final Upstream upstream;
    private final UpstreamNews news;
    private final Ejection ejection = new Ejection();
    private volatile OutlierEjection rule;

    /** The health of an upstream about which nothing is known yet. */
    ObservedHealth(Upstream upstream, UpstreamNews news, OutlierEjection rule) {
        this.upstream = upstream;
        this.news = news;
        this.rule = rule;
    }

    void rule(OutlierEjection other) {
        rule = other;
    }

    UpstreamNews news() {
        return news;
    }

    /** What its responses on a new connection may be. */
    Leniency leniency() {
        return upstream.isLenient() ? new Leniency(news::deviates) : Leniency.NONE;
    }

    /** It has responded to a request. */
    public void answered() {
        news.succeeded();
    }

    /** It failed a request that it had received. */
    public void answerFailed(ForwardError error, String detail) {
        if (error == ForwardError.CONNECT_TLS) {
            news.failed(error, upstream + ": " + detail);
        } else {
            news.answerFailed(error, detail);
        }
    }

    /** A request gets 503 because too many others use it. */
    public void crowded(String why) {
        news.crowded(why);
    }

    /** A group ejects it, because it fails too many requests. */
    public void avoided(String why) {
        news.down(null, upstream + " " + why);
    }

    /** Whether a request might use this upstream while others are available. */
    public boolean mayBeTried(long now) {
        return ejection.mayBeTried(rule, now);
    }

    /** Whether the request that has chosen it may use it: if it is ejected, this is the one that tries it again. */
    public boolean claims(long now) {
        return ejection.allows(rule, now);
    }

    /** Whether it is ejected. */
    boolean isEjected() {
        return ejection.isEjected(rule);
    }

    /** A connection was opened; over HTTP/2, its settings have arrived. */
    void reached() {
        ejection.succeeded();
        news.succeeded();
    }

    /** A connect failed: counts towards an ejection, unless this process is the cause. */
    void connectFailed(ForwardError error, String detail, long now) {
        if (error == ForwardError.POOL_EXHAUSTED) {
            return;
        }
        if (ejection.failed(rule, now)) {
            news.down(error, detail + "; others are preferred until it can be connected to");
        } else {
            news.failed(error, detail);
        }
    }
}
