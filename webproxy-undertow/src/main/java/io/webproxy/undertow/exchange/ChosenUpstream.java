package io.webproxy.undertow.exchange;

import org.jspecify.annotations.Nullable;

/**
 * The upstream that one exchange has gone to last, as the record shows it; while the upstream has to do with the
 * exchange, it counts as the upstream's load.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
public final class ChosenUpstream {
    private @Nullable String authority;
    private @Nullable String protocol;
    private @Nullable InFlight load;
    private long connect;
    private boolean ended;

    ChosenUpstream() {}

    /** One was chosen, in place of the one before. */
    public void choose(String name, InFlight inFlight) {
        authority = name;
        protocol = null;
        leave();
        if (!ended) {
            load = inFlight;
            inFlight.entered();
        }
    }

    /** The wait for a connection, of this many nanoseconds, is over; the upstream is spoken to in this protocol. */
    public void connected(long nanos, String spoken) {
        connect += nanos;
        protocol = spoken;
    }

    /** It has nothing to do with the exchange any more. */
    public void leave() {
        InFlight left = load;
        if (left != null) {
            load = null;
            left.left();
        }
    }

    /** The exchange is over: none is chosen from now on. */
    void end() {
        ended = true;
        leave();
    }

    /** Host and port; null where none was chosen. */
    @Nullable String authority() {
        return authority;
    }

    /** {@code HTTP/1.1} or {@code HTTP/2.0}; null where there was no connection. */
    @Nullable String protocol() {
        return protocol;
    }

    /** How long all connections were waited for, in nanoseconds. */
    long connect() {
        return connect;
    }
}
