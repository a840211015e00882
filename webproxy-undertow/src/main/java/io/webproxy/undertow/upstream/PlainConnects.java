package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.spi.IpLiteral;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Sweeper;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/**
 * Opens unpooled TCP connections to one host and port, with the same look-ups and attempts as for upstreams.
 * Thread-safe.
 */
public final class PlainConnects {
    private final Connector connector;
    private final String host;
    private final int port;
    private final @Nullable InetAddress address;
    private final String text;
    private final Spread spread = new Spread();

    PlainConnects(Connector connector, String host, int port) {
        this.connector = connector;
        this.host = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        this.port = port;
        this.address = IpLiteral.parse(host);
        this.text = this.host + ":" + port;
    }

    /** Hears the outcome of an attempt, on its IO thread, exactly once unless it is cancelled. */
    public interface Callback {
        /** Connected; the greeting was written. */
        void connected(StreamConnection stream);

        /** Failed, with a sentence. */
        void failed(ForwardError error, String detail);
    }

    /** An attempt in progress; belongs to its IO thread. */
    public interface Attempt {
        /** Gives up: the callback isn't called any more. */
        void cancel();
    }

    /**
     * Starts an attempt on the sweeper's IO thread; the callback may be called before this returns.
     *
     * @param source the local address to connect from; null for the system's choice
     * @param limit for the whole attempt
     * @param greeting written before anything else; may be empty
     */
    public Attempt connect(
            Sweeper sweeper, @Nullable InetAddress source, Duration limit, ByteBuffer greeting, Callback callback) {
        ConnectAttempt attempt = connector.connect(
                sweeper,
                new Destination(host, port, address, text, source),
                limit,
                spread,
                greeting,
                new Connector.Callback() {
                    @Override
                    public void connected(StreamConnection stream, SocketReads reads) {
                        callback.connected(stream);
                    }

                    @Override
                    public void failed(ForwardError error, String detail) {
                        callback.failed(error, detail);
                    }
                });
        return attempt::cancel;
    }

    /** {@code host:port}. */
    @Override
    public String toString() {
        return text;
    }
}
