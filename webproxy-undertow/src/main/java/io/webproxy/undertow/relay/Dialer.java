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
    /** Makes a target that many connections are made to; {@code host} is a name or an IP address without brackets. */
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
     * The parameters of one connection.
     *
     * @param client the client's address
     * @param local the server address that the client connected to
     * @param header the PROXY header to send first, with these two addresses; null for none
     * @param source the local address to connect from; null for the system's choice
     * @param limit how long it may take
     */
    record Call(
            InetSocketAddress client,
            InetSocketAddress local,
            @Nullable ProxyHeaderVersion header,
            @Nullable InetAddress source,
            Duration limit) {}

    /** An attempt in progress. Not thread-safe: it belongs to the sweeper's IO thread. */
    interface Attempt {
        /**
         * Gives up: the callback isn't called any more, and what the attempt opens is closed. No effect after its end.
         */
        void cancel();
    }

    /** Hears the outcome of an attempt, on its IO thread, exactly once unless it is cancelled. */
    interface Callback {
        /** The connection, with TCP keep-alive and without Nagle's delay. */
        void connected(StreamConnection target);

        /** {@link ForwardError#POOL_EXHAUSTED} means a shortage in this process, not a fault of the target. */
        void failed(ForwardError error, String detail);
    }
}
