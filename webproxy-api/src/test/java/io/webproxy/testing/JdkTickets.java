package io.webproxy.testing;

/** What the session tickets of the JDK's TLS are bound to. */
public final class JdkTickets {
    private JdkTickets() {}

    /**
     * Whether they hold a checksum of the server's chain, as those of JDK 25 do: then no session survives a swap of the
     * certificate.
     */
    public static boolean areForOneChain() {
        return Runtime.version().feature() >= 25;
    }
}
