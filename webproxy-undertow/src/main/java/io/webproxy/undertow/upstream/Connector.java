package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.http2.OutboundConnection;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.message.Leniency;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.ssl.SslConnection;

/** Opens connections to upstreams: name look-up, TCP over all addresses, TLS, within one time limit. Thread-safe. */
final class Connector {
    /** Hears the outcome of an attempt, on the IO thread, exactly once. */
    interface Callback {
        /** Connected, over TLS if wanted; {@code reads} is the socket's end of the stream. */
        void connected(StreamConnection stream, SocketReads reads);

        void failed(ForwardError error, String detail);
    }

    /** The TLS contexts of upstreams, with or without offering HTTP/2. */
    interface Secrets {
        /** The cached one; null for a new upstream. */
        @Nullable UndertowXnioSsl known(Upstream upstream, boolean http2);

        /** Makes one from the upstream's files: not for an IO thread. */
        UndertowXnioSsl load(Upstream upstream, boolean http2);
    }

    private final Executor executor;
    private final Addresses addresses;
    private final ByteBufferPool buffers;
    private final Supplier<HttpLimits> limits;
    private final Secrets secrets;

    /**
     * Makes a connector.
     *
     * @param executor for tasks that may block
     */
    Connector(
            Executor executor,
            Addresses addresses,
            ByteBufferPool buffers,
            Supplier<HttpLimits> limits,
            Secrets secrets) {
        this.executor = executor;
        this.addresses = addresses;
        this.buffers = buffers;
        this.limits = limits;
        this.secrets = secrets;
    }

    /**
     * The codec of a connection of HTTP/1.1.
     *
     * @param fields parses its field lines; connections of one thread may share it
     * @param leniency what its responses may be; of this connection alone
     */
    UpstreamConnection connection(
            StreamConnection stream,
            SocketReads reads,
            UpstreamConnection.Keeper keeper,
            FieldParser fields,
            Leniency leniency) {
        HttpLimits now = limits.get();
        return new UpstreamConnection(
                stream,
                reads,
                keeper,
                buffers,
                new ResponseParser(fields, now.responseHeadBytes(), now.fields(), leniency));
    }

    /** The codec of a connection of HTTP/2. */
    OutboundConnection outbound(
            StreamConnection stream,
            SocketReads reads,
            Exchanges exchanges,
            int streams,
            OutboundConnection.Owner owner) {
        return new OutboundConnection(stream, reads, buffers, exchanges, limits.get(), streams, owner);
    }

    /** Whether HTTP/2 was negotiated by TLS (RFC 7301). */
    static boolean isHttp2Chosen(StreamConnection stream) {
        return stream instanceof SslConnection secure
                && "h2".equals(UndertowXnioSsl.getSslEngine(secure).getApplicationProtocol());
    }

    ByteBufferPool buffers() {
        return buffers;
    }

    /**
     * Starts an attempt.
     *
     * @param http2 whether HTTP/2 may be negotiated
     * @param limit for the whole attempt; zero for none
     * @param spread decides the order of addresses
     * @param greeting written before anything else; empty for the upstream's own
     */
    ConnectAttempt connect(
            Sweeper sweeper,
            Upstream upstream,
            boolean http2,
            Duration limit,
            Spread spread,
            ByteBuffer greeting,
            Callback callback) {
        ByteBuffer first = greeting.hasRemaining()
                ? greeting
                : upstream.proxyProtocol().map(ProxyHeaderWriter::own).orElse(greeting);
        ConnectAttempt attempt = attempt(sweeper, Destination.of(upstream), limit, spread, first, false, callback);
        attempt.guarded(() -> {
            attempt.start();
            UndertowXnioSsl known = upstream.tls() ? secrets.known(upstream, http2) : null;
            if (known != null || !upstream.tls()) {
                find(attempt, upstream.host(), spread, known);
                return;
            }
            try {
                executor.execute(() -> attempt.guarded(() -> load(attempt, upstream, http2, spread)));
            } catch (RejectedExecutionException e) {
                attempt.unusable("too many new upstreams at once");
            }
        });
        return attempt;
    }

    /** The same to any destination, without TLS. */
    ConnectAttempt connect(
            Sweeper sweeper,
            Destination destination,
            Duration limit,
            Spread spread,
            ByteBuffer greeting,
            Callback callback) {
        ConnectAttempt attempt = attempt(sweeper, destination, limit, spread, greeting, true, callback);
        attempt.guarded(() -> {
            attempt.start();
            InetAddress known = destination.address();
            if (known == null) {
                find(attempt, destination.host(), spread, null);
            } else {
                attempt.later(() -> attempt.resolved(List.of(known), null));
            }
        });
        return attempt;
    }

    private ConnectAttempt attempt(
            Sweeper sweeper,
            Destination destination,
            Duration limit,
            Spread spread,
            ByteBuffer greeting,
            boolean direct,
            Callback callback) {
        return new ConnectAttempt(
                sweeper,
                destination,
                limit,
                greeting,
                buffers,
                spread,
                answer -> addresses.again(destination.host(), answer),
                direct,
                callback);
    }

    private void load(ConnectAttempt attempt, Upstream upstream, boolean http2, Spread spread) {
        UndertowXnioSsl loaded;
        try {
            loaded = secrets.load(upstream, http2);
        } catch (Exception e) {
            attempt.later(() -> attempt.unusable(String.valueOf(e.getMessage())));
            return;
        }
        find(attempt, upstream.host(), spread, loaded);
    }

    private void find(ConnectAttempt attempt, String host, Spread spread, @Nullable UndertowXnioSsl tls) {
        addresses.find(host, found -> {
            List<InetAddress> ordered = spread.next(found, attempt.now());
            attempt.later(() -> attempt.resolved(ordered, tls));
        });
    }

    /** The addresses with alternating families, the first address's family first (RFC 8305 section 4). */
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
