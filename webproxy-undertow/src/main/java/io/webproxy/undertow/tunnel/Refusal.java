package io.webproxy.undertow.tunnel;

/** Why a visitor isn't served, and the TLS alert that says so (RFC 8446 section 6.2, RFC 6066 section 3). */
enum Refusal {
    /** It asks for nothing that an agent has announced. */
    UNKNOWN(112),
    /** The agent isn't there, doesn't answer, or can't reach its target. */
    AGENT(80),
    /** A limit of connections is reached. */
    LIMIT(80),
    /** Something unexpected. */
    FAILED(80),
    /** The server is closing. */
    CLOSING(80);

    private final int alert;

    Refusal(int alert) {
        this.alert = alert;
    }

    int alert() {
        return alert;
    }
}
