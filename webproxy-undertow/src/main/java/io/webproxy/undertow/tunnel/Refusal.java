package io.webproxy.undertow.tunnel;

import io.webproxy.observe.RelayEnd;

/** Why a visitor isn't served, and the TLS alert that says so (RFC 8446 section 6.2, RFC 6066 section 3). */
enum Refusal {
    /** It asks for nothing that an agent has announced. */
    UNKNOWN(112, RelayEnd.UNDETECTED_UNKNOWN),
    /** The agent isn't there, doesn't answer, or can't reach its target. */
    AGENT(80, RelayEnd.CONNECT_FAILED),
    /** A limit of connections is reached. */
    LIMIT(80, RelayEnd.REFUSED_LIMIT),
    /** A limit of new connections is reached. */
    RATE(80, RelayEnd.REFUSED_RATE),
    /** Something unexpected. */
    FAILED(80, RelayEnd.FAILED),
    /** The server is closing. */
    CLOSING(80, RelayEnd.CUT);

    private final int alert;
    private final RelayEnd end;

    Refusal(int alert, RelayEnd end) {
        this.alert = alert;
        this.end = end;
    }

    int alert() {
        return alert;
    }

    RelayEnd end() {
        return end;
    }
}
