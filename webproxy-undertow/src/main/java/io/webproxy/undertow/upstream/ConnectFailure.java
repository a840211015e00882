package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.util.Locale;

/**
 * Why a destination can't be connected to. Immutable.
 *
 * @param detail a sentence without its full stop, for logs and records
 */
record ConnectFailure(ForwardError error, String detail) {
    /** Before any address was tried. */
    static final ConnectFailure NO_ANSWER = new ConnectFailure(ForwardError.CONNECT_UNREACHABLE, "no address answered");

    /** The name has no address. */
    static ConnectFailure notFound(Destination destination) {
        return new ConnectFailure(
                ForwardError.DNS, "The name " + destination.host() + " of " + destination + " isn't found");
    }

    /** The system reports that one address can't be connected. */
    static ConnectFailure at(InetAddress address, Destination destination, IOException why) {
        boolean refused = why instanceof ConnectException
                && String.valueOf(why.getMessage()).toLowerCase(Locale.ROOT).contains("refused");
        return refused
                ? new ConnectFailure(
                        ForwardError.CONNECT_REFUSED,
                        destination + " refuses connections at " + address.getHostAddress())
                : new ConnectFailure(
                        ForwardError.CONNECT_UNREACHABLE,
                        destination + " can't be reached at " + address.getHostAddress() + ": " + why.getMessage());
    }

    /** The name wasn't found within the limit. */
    static ConnectFailure lateName(Destination destination, long limitMillis) {
        return new ConnectFailure(
                ForwardError.DNS,
                "The name " + destination.host() + " of " + destination + " isn't found within " + limitMillis + " ms");
    }

    /** No address accepted a connection within the limit. */
    static ConnectFailure late(Destination destination, long limitMillis) {
        return new ConnectFailure(
                ForwardError.CONNECT_TIMEOUT, destination + " accepts no connection within " + limitMillis + " ms");
    }
}
