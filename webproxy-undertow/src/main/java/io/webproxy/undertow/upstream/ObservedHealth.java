package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.Ejection;

/**
 * The health of one upstream as connections and answers show it: whether requests skip it for a while, and what
 * observers and the log are told. Thread-safe.
 */
public final class ObservedHealth {
    private final Upstream upstream;
    private final UpstreamNews news;
    private final Ejection ejection = new Ejection();
    private volatile OutlierEjection rule;

    /** That of an upstream which nothing is known of yet. */
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

    /** It has answered a request. */
    public void answered() {
        news.succeeded();
    }

    /** It has failed a request that it was sent. */
    public void answerFailed(ForwardError error, String detail) {
        if (error == ForwardError.CONNECT_TLS) {
            news.failed(error, upstream + ": " + detail);
        } else {
            news.answerFailed(error, detail);
        }
    }

    /** A group prefers others for a while, because it fails too many requests. */
    public void avoided(String why) {
        news.down(null, upstream + " " + why);
    }

    /** Whether a request might go to this upstream while others could take it. */
    public boolean mayBeTried(long now) {
        return ejection.mayBeTried(rule, now);
    }

    /** Whether the request that has chosen it may go there: if it is ejected, this is the one that tries it again. */
    public boolean claims(long now) {
        return ejection.allows(rule, now);
    }

    /** Whether requests skip it. */
    boolean isEjected() {
        return ejection.isEjected(rule);
    }

    /** It can be connected to; over HTTP/2 its settings say so. */
    void reached() {
        ejection.succeeded();
        news.succeeded();
    }

    /** It counts as one that can't be connected to, unless it is this process's fault. */
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
