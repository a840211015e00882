package io.webproxy.undertow.relay;

import io.webproxy.observe.ForwardError;
import io.webproxy.spi.ProxyHeaderVersion;
import io.webproxy.undertow.deadline.Sweeper;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/** Makes connections to the targets of relays. Thread-safe. */
public interface Dialer {
    /** A target that is connected to again and again; {@code host} is a name or an IP address without brackets. */
    Target target(String host, int port);

    /** One target. Thread-safe. */
    interface Target {
        /**
         * Starts to connect; on the sweeper's IO thread, which the connection then belongs to. The callback may be
         * called before this returns.
         */
        Attempt connect(Sweeper sweeper, Call call, Callback callback);
    }

    /**
     * For whom a connection is made, and how.
     *
     * @param client the client's address
     * @param local the address that the client has reached
     * @param header the PROXY header that the target gets before all else, about these two; null for none
     * @param source the address of this machine that is connected from; null for the system's choice
     * @param limit how long it may take
     */
    record Call(
            InetSocketAddress client,
            InetSocketAddress local,
            @Nullable ProxyHeaderVersion header,
            @Nullable InetAddress source,
            Duration limit) {}

    /** An attempt that goes on. Not thread-safe: it belongs to the sweeper's IO thread. */
    interface Attempt {
        /**
         * Gives it up: its callback isn't called any more, and what it opens is closed. No effect on one that has
         * ended.
         */
        void cancel();
    }

    /** What becomes of an attempt; called on its IO thread, exactly once unless it is cancelled. */
    interface Callback {
        /** The connection, with TCP keep-alive and without Nagle's delay. */
        void connected(StreamConnection target);

        /** {@link ForwardError#POOL_EXHAUSTED} is no fault of the target, but a shortage of this process. */
        void failed(ForwardError error, String detail);
    }
}
