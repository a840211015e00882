package io.webproxy.undertow.exchange;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether a client is still connected while its connection isn't read because the read buffer is full. The
 * client's FIN then comes after unread bytes, so only the kernel has seen it. Where the kernel's tables can't be read,
 * as outside Linux, this can't be known.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
public final class ClientPresence {
    /** Hears what the kernel has seen. */
    @FunctionalInterface
    public interface Listener {
        /** The client has closed its direction, or, if {@code broken}, the whole connection. */
        void left(boolean broken);
    }

    /** How often in a row a connection must be missing: a table that changes while it is read may lack a line. */
    private static final int MISSING = 2;

    private boolean asking;
    private int missing;

    /** Asks the kernel, at most once a second, unless a question is pending already. */
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
