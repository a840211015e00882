package io.webproxy.undertow.server;

import java.net.InetSocketAddress;
import java.util.Locale;

/** Says in one sentence why a port can't be opened, and what to do. */
final class BindFailure {
    private static final int LAST_PRIVILEGED = 1023;

    private BindFailure() {}

    static String sentence(InetSocketAddress address, Exception why) {
        String reason = String.valueOf(why.getMessage()).toLowerCase(Locale.ROOT);
        int port = address.getPort();
        if (reason.contains("in use")) {
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
