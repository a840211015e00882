package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpServerExchange;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.conduit.EachReadSource;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Turn;
import io.webproxy.undertow.exchange.Exchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The request body as the client sends it: counted, limited, and read in turns with other connections.
 *
 * <p>Problems are reported to the exchange and never thrown: Undertow's {@code ProxyHandler} (2.4.4) would answer 503,
 * as if the upstream had failed. Canary: {@code ProxyHandlerDefectsTest.failureOfARequestBodyIsTakenForTheUpstreams}.
 * Not thread-safe.
 */
final class RequestBody extends EachReadSource {
    private final Exchange exchange;
    private final long limit;
    private final BodyPace pace;
    private final Turn turn = new Turn();
    private final boolean takesTurns;
    private boolean resting;
    private boolean resumedAfterRest;
    private boolean broken;

    private RequestBody(StreamSourceConduit next, Exchange exchange, HttpLimits limits) {
        super(next);
        this.exchange = exchange;
        this.limit = exchange.route().access().requestBodyBytes().orElse(limits.requestBodyBytes());
        this.pace = new BodyPace(
                limits.requestBodyRate(),
                limits.requestBodyGrace(),
                exchange.shared().nanoClock().getAsLong());
        // HTTP/2 streams share a connection, and have flow-control windows
        this.takesTurns = !exchange.client().isMultiplexed();
    }

    /** Installs itself on a request that has a body. */
    static void install(Exchange exchange, HttpLimits limits) {
        HttpServerExchange http = exchange.http();
        if (http.isRequestComplete()) {
            return;
        }
        http.addRequestWrapper((factory, same) -> {
            exchange.client().unwatch();
            RequestBody body = new RequestBody(factory.create(), exchange, limits);
            if (exchange.grpc() == null) {
                // a gRPC client may be silent between two messages, as an upstream may
                exchange.limits().whileWaiting(body::checkPace);
            }
            return body;
        });
    }

    /**
     * Cuts a client that sends next to nothing: it could keep an exchange open forever without ever reaching the idle
     * limit.
     */
    private void checkPace(long now) {
        boolean waiting = !broken && !exchange.http().isRequestComplete() && isReadResumed();
        if (pace.isTooSlow(now, waiting, exchange.bytesIn())) {
            broken(408, "its body came too slowly");
        }
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (takesTurns && turn.isOver()) {
            rest();
            return 0;
        }
        if (broken) {
            return discard(dst);
        }
        int read = next.read(dst);
        if (read < 0 && !exchange.client().isRequestWhole()) {
            throw new IOException("the client left within its request body");
        }
        if (read > 0) {
            turn.moved(read);
            exchange.received(read);
            if (limit > 0 && exchange.bytesIn() > limit) {
                dst.position(dst.position() - read);
                return broken(413, "its body is above " + limit + " bytes");
            }
        }
        return read;
    }

    /**
     * A cleartext socket reports at once that it is readable, after all other sockets; one under TLS would be read
     * again before them.
     */
    private void rest() {
        if (exchange.http().getConnection().getSslSession() != null) {
            resumedAfterRest = next.isReadResumed();
            resting = true;
            next.suspendReads();
            IoTasks.executeAfter(getReadThread(), this::rested, Turn.TLS_REST_MILLIS);
        }
    }

    private void rested() {
        resting = false;
        if (resumedAfterRest && !exchange.isEnded()) {
            next.resumeReads();
        }
    }

    @Override
    public void resumeReads() {
        if (resting) {
            resumedAfterRest = true;
        } else {
            super.resumeReads();
        }
    }

    @Override
    public void suspendReads() {
        if (resting) {
            resumedAfterRest = false;
        } else {
            super.suspendReads();
        }
    }

    @Override
    public boolean isReadResumed() {
        return resting ? resumedAfterRest : super.isReadResumed();
    }

    private int broken(int status, String detail) {
        broken = true;
        exchange.limits().requestBroken(status, detail);
        return 0;
    }

    /** Reads and discards the rest, so that an answer gets through before the connection ends. */
    private int discard(ByteBuffer dst) throws IOException {
        int start = dst.position();
        int read = next.read(dst);
        while (read > 0) {
            dst.position(start);
            turn.moved(read);
            if (takesTurns && turn.isOver()) {
                rest();
                return 0;
            }
            read = next.read(dst);
        }
        return read;
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (dsts[i].hasRemaining()) {
                return read(dsts[i]);
            }
        }
        return 0;
    }
}
