package io.webproxy.undertow.server;

import io.webproxy.undertow.relay.Dialer;
import io.webproxy.undertow.upstream.Upstreams;

/** The dialer of running servers, for tests of relays alone. */
public final class RelayDialers {
    private RelayDialers() {}

    public static Dialer of(Upstreams upstreams) {
        return new RelayDialer(upstreams);
    }
}
