package io.webproxy.undertow.exchange;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Whether a client is still there whose connection isn't read, because as much has come of it as is kept: its end
 * stands behind bytes that no one wants yet, and only the kernel has seen it. Where its tables can't be read, as
 * outside Linux, that isn't known.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
public final class ClientPresence {
    /** What the kernel has seen. */
    @FunctionalInterface
    public interface Listener {
        /** The client has ended its direction; {@code broken}: and the connection. */
        void left(boolean broken);
    }

    /** So often in a row a connection has to be missing: a table that changes while it is read may lack a line. */
    private static final int MISSING = 2;

    private boolean asking;
    private int missing;

    /** Asks the kernel, unless that is done already; once a second at most. */
    public void look(Exchange exchange, Listener listener) {
        if (asking) {
            return;
        }
        String key = TcpTable.key(
                exchange.http().getConnection().getLocalAddress(InetSocketAddress.class),
                exchange.http().getConnection().getPeerAddress(InetSocketAddress.class));
        if (key != null) {
            asking = true;
            exchange.shared().acks().ask(key, exchange.http().getIoThread(), row -> {
                asking = false;
                answered(row, listener);
            });
        }
    }

    void answered(TcpTable.@Nullable Row row, Listener listener) {
        missing = row == null ? missing + 1 : 0;
        if (missing >= MISSING) {
            listener.left(true);
        } else if (row != null && row.ended()) {
            listener.left(false);
        }
    }
}
