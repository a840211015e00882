package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/** Opens connections to upstreams: name, TCP over all addresses, TLS, within one limit. Thread-safe. */
final class Connector {
    /** What becomes of an attempt; called on the IO thread, exactly once. */
    interface Callback {
        void connected(StreamConnection stream);

        void failed(ForwardError error, String detail);
    }

    private final Addresses addresses;
    private final ByteBufferPool buffers;
    private final Supplier<HttpLimits> limits;
    private final Function<Upstream, @Nullable UndertowXnioSsl> tls;

    Connector(
            Addresses addresses,
            ByteBufferPool buffers,
            Supplier<HttpLimits> limits,
            Function<Upstream, @Nullable UndertowXnioSsl> tls) {
        this.addresses = addresses;
        this.buffers = buffers;
        this.limits = limits;
        this.tls = tls;
    }

    UpstreamConnection connection(StreamConnection stream, Lane lane) {
        HttpLimits now = limits.get();
        return new UpstreamConnection(
                stream, lane, buffers, new ResponseParser(lane.fields(), now.responseHeadBytes(), now.fields()));
    }

    void connect(Sweeper sweeper, Upstream upstream, Duration limit, Callback callback) {
        ConnectAttempt attempt = new ConnectAttempt(sweeper, upstream, limit, buffers, tls.apply(upstream), callback);
        attempt.start();
        addresses.find(upstream.host(), found -> {
            List<InetAddress> ordered = interleaved(found);
            if (Thread.currentThread() == sweeper.thread()) {
                attempt.resolved(ordered);
            } else {
                IoTasks.execute(sweeper.thread(), () -> attempt.resolved(ordered));
            }
        });
    }

    /** The addresses with the families in turn, the first one's family first (RFC 8305 section 4). */
    static List<InetAddress> interleaved(List<InetAddress> addresses) {
        if (addresses.size() < 3) {
            return addresses;
        }
        List<InetAddress> first = new ArrayList<>();
        List<InetAddress> second = new ArrayList<>();
        Class<?> family = addresses.get(0).getClass();
        addresses.forEach(address -> (address.getClass() == family ? first : second).add(address));
        List<InetAddress> ordered = new ArrayList<>();
        for (int i = 0; i < Math.max(first.size(), second.size()); i++) {
            if (i < first.size()) {
                ordered.add(first.get(i));
            }
            if (i < second.size()) {
                ordered.add(second.get(i));
            }
        }
        return ordered;
    }
}
