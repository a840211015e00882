package io.webproxy.samples.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Reads {@code ADDRESS:PORT} of options that open an endpoint beside the external port. */
final class LocalAddress {
    private LocalAddress() {}

    /** @throws IllegalArgumentException if the text is no address with a port */
    static InetSocketAddress parse(String option, String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.isEmpty() || (host.contains(":") && !host.startsWith("["))) {
            throw wrong(option, text);
        }
        try {
            return new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(text.substring(colon + 1)));
        } catch (UnknownHostException | IllegalArgumentException e) {
            throw wrong(option, text);
        }
    }

    /**
     * Only programs of this machine may read what is there without a password.
     *
     * @throws IllegalArgumentException if others could
     */
    static void checkReaders(String option, String text, InetSocketAddress at, boolean credentialsGiven) {
        if (!at.getAddress().isLoopbackAddress() && !credentialsGiven) {
            throw Complaint.wrong(
                    option,
                    text,
                    "a loopback address such as 127.0.0.1, or --user or --htpasswd with it, because everyone who"
                            + " reaches another one could read it");
        }
    }

    private static IllegalArgumentException wrong(String option, String text) {
        return Complaint.wrong(
                option, text, "an address of this machine and a port, such as 127.0.0.1:9090 or [::1]:9090");
    }
}
