package io.webproxy.undertow.tunnel;

import io.webproxy.observe.RelayEnd;

/** Why a visitor isn't served, and the TLS alert to send (RFC 8446 section 6.2, RFC 6066 section 3). */
enum Refusal {
    /** No agent has announced what it asks for. */
    UNKNOWN(112, RelayEnd.UNDETECTED_UNKNOWN),
    /** The agent isn't connected, doesn't answer, or can't reach its target. */
    AGENT(80, RelayEnd.CONNECT_FAILED),
    /** A limit of connections was reached. */
    LIMIT(80, RelayEnd.REFUSED_LIMIT),
    /** A limit of new connections was reached. */
    RATE(80, RelayEnd.REFUSED_RATE),
    /** Something unexpected happened. */
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
