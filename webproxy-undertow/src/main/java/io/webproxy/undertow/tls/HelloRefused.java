package io.webproxy.undertow.tls;

/** Thrown if there is no certificate for a client. */
public final class HelloRefused extends Exception {
    /** RFC 7301 section 3.2. */
    static final int NO_APPLICATION_PROTOCOL = 120;

    private static final long serialVersionUID = 1;

    private final int alert;

    HelloRefused(int alert, String why) {
        super(why, null, false, false);
        this.alert = alert;
    }

    /** The code of the alert to send (RFC 8446 section 6). */
    public int alert() {
        return alert;
    }
}
