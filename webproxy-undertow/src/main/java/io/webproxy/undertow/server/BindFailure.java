package io.webproxy.undertow.server;

import java.net.InetSocketAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Explains in one sentence why a port can't be opened, and what to do. */
final class BindFailure {
    private static final int LAST_PRIVILEGED = 1023;

    private BindFailure() {}

    /** The same; {@code owner} is this server's endpoint that has the port now, null if there is none. */
    static String sentence(InetSocketAddress address, Exception why, @Nullable String owner) {
        return owner != null && isInUse(why)
                ? "Port " + address.getPort() + " is that of the endpoint " + owner + " until an update has removed it:"
                        + " remove it by one update, and open the other one by the next."
                : sentence(address, why);
    }

    private static boolean isInUse(Exception why) {
        return String.valueOf(why.getMessage()).toLowerCase(Locale.ROOT).contains("in use");
    }

    static String sentence(InetSocketAddress address, Exception why) {
        String reason = String.valueOf(why.getMessage()).toLowerCase(Locale.ROOT);
        int port = address.getPort();
        if (isInUse(why)) {
            return "Port " + port + " is already in use: stop the program that uses it, or choose another port.";
        }
        if (reason.contains("permission") || (reason.contains("denied") && port <= LAST_PRIVILEGED)) {
            return "Port " + port + " needs a privilege that this process doesn't have: choose a port above "
                    + LAST_PRIVILEGED + ", or grant CAP_NET_BIND_SERVICE.";
        }
        if (reason.contains("assign") || reason.contains("not available")) {
            return "bind: " + address.getHostString()
                    + " (expected: an address of this machine, such as 127.0.0.1 or 0.0.0.0).";
        }
        return "Port " + port + " can't be opened on " + address.getHostString() + ": " + why.getMessage() + ".";
    }
}
