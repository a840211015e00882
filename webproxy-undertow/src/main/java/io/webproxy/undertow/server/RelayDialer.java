package io.webproxy.undertow.server;

import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.relay.Dialer;
import io.webproxy.undertow.upstream.PlainConnects;
import io.webproxy.undertow.upstream.ProxyHeaderWriter;
import io.webproxy.undertow.upstream.Upstreams;
import java.nio.ByteBuffer;
import org.xnio.StreamConnection;

/**
 * Connects relays to their targets in the same way as requests to upstreams: with the same look-ups, over all addresses
 * of a name. Thread-safe.
 */
final class RelayDialer implements Dialer {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Upstreams upstreams;

    RelayDialer(Upstreams upstreams) {
        this.upstreams = upstreams;
    }

    @Override
    public Target target(String host, int port) {
        PlainConnects connects = upstreams.plain(host, port);
        return (sweeper, call, callback) -> connect(connects, sweeper, call, callback);
    }

    private static Attempt connect(PlainConnects connects, Sweeper sweeper, Call call, Callback callback) {
        ByteBuffer header =
                call.header() == null ? NOTHING : ProxyHeaderWriter.proxied(call.header(), call.client(), call.local());
        PlainConnects.Attempt attempt =
                connects.connect(sweeper, call.source(), call.limit(), header, new PlainConnects.Callback() {
                    @Override
                    public void connected(StreamConnection stream) {
                        callback.connected(stream);
                    }

                    @Override
                    public void failed(ForwardError error, String detail) {
                        callback.failed(error, detail);
                    }
                });
        return attempt::cancel;
    }
}
