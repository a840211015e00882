package io.webproxy.undertow.exchange;

import org.jspecify.annotations.Nullable;

/**
 * The upstream that an exchange used last, for the record. While the exchange uses it, it counts towards the upstream's
 * load.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
public final class ChosenUpstream {
    private @Nullable String name;
    private @Nullable String protocol;
    private @Nullable InFlight load;
    private long connect;
    private int attempts;
    private int attempt;
    private boolean ended;

    ChosenUpstream() {}

    /** An upstream was chosen; it replaces the one before. */
    public void choose(String name, InFlight inFlight) {
        attempt = ++attempts;
        this.name = name;
        protocol = null;
        leave();
        if (!ended) {
            load = inFlight;
            inFlight.entered();
        }
    }

    /** The exchange has a connection, after waiting this many nanoseconds; {@code spoken} is its protocol. */
    public void connected(long nanos, String spoken) {
        connect += nanos;
        protocol = spoken;
    }

    /** The exchange no longer uses the upstream. */
    public void leave() {
        InFlight left = load;
        if (left != null) {
            load = null;
            left.left();
        }
    }

    /** The exchange is over: later choices are ignored. */
    void end() {
        ended = true;
        leave();
    }

    /** Such as {@code http://10.0.0.7:8000}; null if none was chosen. */
    @Nullable String name() {
        return name;
    }

    /** {@code HTTP/1.1} or {@code HTTP/2.0}; null if there was no connection. */
    @Nullable String protocol() {
        return protocol;
    }

    /** An upstream that was chosen before is the one that answers. */
    public void back(String name, InFlight inFlight, String spoken, int number) {
        int all = attempts;
        choose(name, inFlight);
        protocol = spoken;
        attempts = all;
        attempt = number;
    }

    /** Which of the choices this one was, from 1; 0 if none was chosen. */
    public int attempt() {
        return attempt;
    }

    /** How many times one was chosen. */
    int attempts() {
        return attempts;
    }

    /** Nanoseconds that the exchange waited for connections, over all attempts. */
    long connect() {
        return connect;
    }
}
