package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Methods;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.exchange.BrokenOff;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Expiry;
import io.webproxy.undertow.exchange.GrpcCall;
import io.webproxy.undertow.exchange.LocalAnswer;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.ProxyHeaderWriter;
import io.webproxy.undertow.upstream.UnwritableException;
import io.webproxy.undertow.upstream.UpstreamListener;
import io.webproxy.undertow.upstream.UpstreamPool;
import io.webproxy.undertow.upstream.UpstreamStream;
import io.webproxy.undertow.upstream.Upstreams;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One exchange on its way through an upstream: the state machine that says what each event of client, upstream and clock means, by how far the exchange has come. What the proxy handler wants is
 * {@link Facade}'s matter, which upstream is asked, and how often, that of {@link Attempts}.
 *
 * <p>Whatever fails before the response head is answered here, and never reported to the proxy handler, whose own answers wait for the request body. Whatever fails after it
 * aborts the client. Not thread-safe: it belongs to the exchange's IO thread.
 */
final class ForwardExchange extends Facade implements UpstreamListener, Attempts.Asker, Expiry, ClientSink.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(ForwardExchange.class);

    private final Exchange exchange;
    private final Http1Upstreams http1Upstreams;
    private final ConnectionLogin login;
    private final PassiveHealth health;
    private final Attempts attempts;
    private final Runnable onClientGone = this::clientGone;

    private @Nullable OutboundHead head;
    private @Nullable UpstreamStream connection;
    private @Nullable ClientSink clientSink;
    private boolean continued;
    private boolean responded;
    /** The upstream has answered a gRPC call, though not by gRPC. */
    private boolean ofHttp;

    private boolean responseEnded;
    private boolean done;

    ForwardExchange(Exchange exchange, Upstreams pools, RouteState state, Http1Upstreams http1Upstreams) {
        super(exchange.http());
        this.exchange = exchange;
        this.http1Upstreams = http1Upstreams;
        this.login = new ConnectionLogin(exchange);
        this.health = new PassiveHealth(exchange);
        this.attempts = new Attempts(exchange, pools, state, login, health, this);
    }

    // --- the request's way ---

    @Override
    void begin() {
        try {
            head = new OutboundHead(exchange);
        } catch (UnwritableException e) {
            unwritable(e);
            return;
        }
        if (login.isMisplaced()) {
            requireHttp11();
            return;
        }
        exchange.watch(this);
        if (exchange.client().isMultiplexed()) {
            // a reset is seen at once; of HTTP/1.1 the connection would have to be read for it
            exchange.client().watchForAbort(onClientGone);
        }
        attempts.begin(head().requestFraming().isNone());
    }

    private OutboundHead head() {
        return Objects.requireNonNull(head, "head");
    }

    @Override
    public void connected(UpstreamStream taken) {
        if (done || exchange.isEnded()) {
            taken.close();
            return;
        }
        if (http().isRequestComplete() && !exchange.client().isRequestWhole()) {
            // the upstream would take the end of the connection for the end of the body
            taken.close();
            clientGone();
            return;
        }
        exchange.connected(taken.isReused() ? 0 : attempts.age(), taken.protocol());
        Upstream upstream = attempts.upstream();
        if (exchange.grpc() != null && taken.protocol().equals("HTTP/1.1")) {
            taken.close();
            http1Upstreams.met(upstream, exchange.route());
            if (!attempts.moveOn()) {
                answer(ForwardError.UPSTREAM_PROTOCOL, "it speaks HTTP/1.1");
            }
            return;
        }
        connection = taken;
        exchange.activity();
        try {
            taken.exchange(
                    this,
                    out -> {
                        head().writeTo(out, upstream);
                        if (head().isLogin()) {
                            login.begins(taken);
                        }
                    },
                    head().requestFraming(),
                    http().getRequestMethod().equals(Methods.HEAD),
                    () -> head().trailers(getAttachment(HttpAttachments.RESPONSE_TRAILERS)));
        } catch (UnwritableException e) {
            connection = null;
            taken.close();
            unwritable(e);
            return;
        }
        if (done || connection != taken) {
            return;
        }
        if (isSending()) {
            attempts.restart(taken);
        } else {
            send(attempts.body(taken));
        }
    }

    private void unwritable(UnwritableException e) {
        done = true;
        attempts.ended();
        LocalAnswer.reject(exchange, 400, "The request can't be forwarded: " + e.getMessage() + ".");
    }

    @Override
    public boolean isWanted() {
        // Undertow ends the exchange by itself when the client's connection breaks
        return !done && !exchange.isEnded();
    }

    @Override
    public UpstreamPool.Need needs() {
        return login.isOne() || attempts.isHttp11Required()
                ? UpstreamPool.Need.HTTP_1_1
                : head().isUpgrade() ? UpstreamPool.Need.WEB_SOCKET : UpstreamPool.Need.ANY;
    }

    @Override
    public ByteBuffer greeting(Upstream to) {
        ProxyProtocol.Version version = to.proxyProtocol().orElse(null);
        return version == null
                ? Attempts.Asker.super.greeting(to)
                : ProxyHeaderWriter.proxied(
                        version,
                        exchange.clientSocket(),
                        http().getConnection().getLocalAddress(InetSocketAddress.class));
    }

    @Override
    void threadEnds() {
        LOG.debug("{}: the server has closed", exchange);
        breakOff(503, "The proxy ends.");
    }

    @Override
    void handlerFailed() {
        exchange.failed(ForwardError.INVALID_RESPONSE);
        breakOff(500, "The proxy failed.");
    }

    @Override
    public void choiceFailed(UpstreamChoice.FailedException why) {
        LOG.error("No upstream for {}: {}", exchange, why.getMessage(), why.getCause());
        fail();
    }

    @Override
    public void unserved(ForwardError error, String detail) {
        answer(error, detail);
    }

    @Override
    public void failed(ForwardError error, String detail) {
        if (done) {
            return;
        }
        if (isConnectError(error)) {
            LOG.debug("{}: {} ({})", exchange, error, detail);
            if (attempts.connectFailed()) {
                return;
            }
        }
        answer(error, detail);
    }

    private static boolean isConnectError(ForwardError error) {
        return switch (error) {
            // closed at once: nothing of the request was sent
            case CONNECT_REFUSED,
                    CONNECT_UNREACHABLE,
                    CONNECT_TIMEOUT,
                    CONNECT_TLS,
                    DNS,
                    UPSTREAM_CLOSED,
                    UPSTREAM_PROTOCOL -> true;
            default -> false;
        };
    }

    @Override
    public void requestBytesTaken(long bytes) {
        exchange.activity();
    }

    @Override
    public void requestBodyWrong(String problem) {
        requestBroken(400, problem);
    }

    @Override
    public void requestBroken(int status, String detail) {
        if (done) {
            return;
        }
        LOG.debug("{}: {}", exchange, detail);
        if (responded) {
            exchange.failed(ForwardError.REQUEST_REJECTED);
            breakOff(status, "The request is refused: " + detail + ".");
        } else {
            release();
            exchange.leaveUpstream();
            done = true;
            LocalAnswer.reject(exchange, status, "The request is refused: " + detail + ".");
        }
    }

    // --- the response's way ---

    @Override
    public void interim(ParsedHead interim) {
        if (done) {
            return;
        }
        try {
            continued |= interim.status() == 100;
            InterimResponse.send(exchange, interim);
        } catch (IOException e) {
            clientGone();
        }
    }

    @Override
    public void responded(ParsedHead answer) {
        UpstreamStream from = connection;
        if (done || from == null) {
            return;
        }
        health.responded(answer);
        if (login.isRefused(from, answer)) {
            requireHttp11();
            return;
        }
        if (answer.status() == 101) {
            exchange.client().unwatch();
            if (Tunnel.isAnswer(head().isUpgrade(), answer, from, exchange)) {
                responded = true;
                done = true;
                exchange.responded(answer);
                Tunnel.open(exchange, answer, from);
            } else {
                answer(ForwardError.INVALID_RESPONSE, "a 101 that nobody asked for");
            }
            return;
        }
        responded = true;
        attempts.settled();
        GrpcCall call = exchange.grpc();
        if (call != null) {
            call.ended(answer.fields());
            ofHttp = !health.isOfGrpc();
        }
        exchange.responded(answer);
        setResponse(answer, ClientHead.fields(exchange, answer), from.responseBody());
        HttpServerExchange http = http();
        if (!http.isRequestComplete() || exchange.isLeaving()) {
            http.setPersistent(false);
        }
        SseHeartbeat heartbeat = SseHeartbeat.of(exchange, answer);
        http.addResponseWrapper((factory, ignored) -> {
            ClientSink sink = ClientSink.over(factory.create(), exchange, this, heartbeat);
            clientSink = sink;
            return sink;
        });
        respond();
    }

    @Override
    public void failed(ForwardError error, String detail, boolean silent) {
        boolean reused = connection != null && connection.isReused();
        noteReset();
        connection = null;
        if (!done && !attempts.lost(error, detail, silent, reused)) {
            answer(error, detail);
        }
    }

    /** How the upstream has reset its stream says more to a gRPC client than that it has done so. */
    private void noteReset() {
        GrpcCall call = exchange.grpc();
        if (call != null && connection != null) {
            call.reset(connection.resetCode(), exchange.age());
        }
    }

    @Override
    public void refused(String detail) {
        noteReset();
        UpstreamStream by = connection;
        connection = null;
        if (!done && !attempts.refused(by, detail)) {
            failed(ForwardError.UPSTREAM_CLOSED, detail, false);
        }
    }

    @Override
    public void responseBytes(long bytes) {
        exchange.activity();
    }

    @Override
    public void responsePaused() {
        if (clientSink != null) {
            clientSink.pause();
        }
    }

    @Override
    public void responseEnded(HeaderMap trailers) {
        responseEnded = true;
        connection = null;
        health.completed(Objects.requireNonNull(getResponse(), "response").getResponseCode(), trailers);
        if (trailers.size() > 0) {
            putAttachment(
                    HttpAttachments.REQUEST_TRAILERS,
                    exchange.grpc() == null ? FieldRules.allowedTrailers(trailers) : FieldRules.metadata(trailers));
        }
    }

    /** The client has all of the response, but hasn't sent all of the request. */
    @Override
    public void answeredEarly() {
        if (!done) {
            done = true;
            exchange.client().finishEarly();
        }
    }

    @Override
    public void responseBroken(String detail) {
        LOG.debug("{}: {}", exchange, detail);
        noteReset();
        health.brokeOff(detail);
        exchange.failed(ForwardError.RESPONSE_BODY_TRUNCATED);
        breakOff(502, "The service after this proxy broke off its answer.");
    }

    // --- ends ---

    @Override
    public void idle() {
        if (done) {
            return;
        }
        if (responded) {
            exchange.failed(ForwardError.RESPONSE_BODY_IDLE);
            breakOff(504, "Both sides were silent for too long.");
        } else if (isClientSilent()) {
            // RFC 9110 section 15.5.9
            requestBroken(408, "the rest of its body didn't come");
        } else {
            unanswered(ForwardError.RESPONSE_HEAD_TIMEOUT);
            answer(ForwardError.RESPONSE_HEAD_TIMEOUT, "the timeout class ran out");
        }
    }

    @Override
    public void overdue() {
        if (done) {
            return;
        }
        if (responded) {
            exchange.failed(ForwardError.TOTAL_TIMEOUT);
            breakOff(504, "The time for the whole exchange ran out.");
        } else {
            unanswered(ForwardError.TOTAL_TIMEOUT);
            answer(ForwardError.TOTAL_TIMEOUT, "the limit of the whole exchange ran out");
        }
    }

    /** The silence is within the request body, and not the upstream's, which may be waited for to say that the body may come. */
    private boolean isClientSilent() {
        boolean waitsForContinue = !continued && exchange.bytesIn() == 0 && InterimResponse.isContinueExpected(http());
        return connection != null && connection.isAwaitingBody() && !http().isRequestComplete() && !waitsForContinue;
    }

    /** The time is up, and the upstream has had all of the request. */
    private void unanswered(ForwardError error) {
        if (connection != null && http().isRequestComplete()) {
            health.timedOut(error);
        }
    }

    @Override
    public void lasting(long now) {
        if (!done) {
            exchange.client().watchForAbort(onClientGone);
        }
        if (!done && clientSink != null) {
            clientSink.lasting(now);
        }
    }

    @Override
    public void cut() {
        breakOff(503, "The proxy ends.");
    }

    @Override
    public void ended() {
        if (connection != null || (clientSink != null && !clientSink.isTerminated())) {
            breakOff(exchange.client()::abort);
        }
    }

    @Override
    public void clientGone() {
        if (!done) {
            exchange.failed(ForwardError.CLIENT_ABORTED);
            if (!responded) {
                exchange.recordStatus(499);
            }
            breakOff(exchange.client()::abort);
        }
    }

    /** Answers in place of an upstream that won't. */
    private void answer(ForwardError error, String detail) {
        LOG.debug("{}: {} ({})", exchange, error, detail);
        exchange.failed(error);
        release();
        exchange.leaveUpstream();
        done = true;
        LocalAnswer.Failure failure = LocalAnswer.failureOf(error);
        if (failure == null) {
            exchange.client().abort();
        } else {
            LocalAnswer.send(exchange, failure.status(), failure.text(), failure.fields());
        }
    }

    /** The application is at fault. */
    private void fail() {
        exchange.failed(ForwardError.APPLICATION_FAILED);
        release();
        exchange.leaveUpstream();
        done = true;
        LocalAnswer.send(exchange, 500, "The proxy failed.", Map.of());
    }

    /** The request is for a connection of its own, which HTTP/2 doesn't give it. */
    private void requireHttp11() {
        LOG.debug("{}: logs a connection in, which needs HTTP/1.1", exchange);
        exchange.failed(ForwardError.REQUEST_REJECTED);
        exchange.recordStatus(505);
        release();
        exchange.leaveUpstream();
        done = true;
        exchange.client().requireHttp11();
    }

    private void release() {
        attempts.ended();
        UpstreamStream used = connection;
        connection = null;
        if (used != null) {
            used.abort();
        }
    }

    /** The response can't become whole: a gRPC call is told why, where the stream can still carry it. */
    private void breakOff(int status, String detail) {
        breakOff(ofHttp ? exchange.client()::abort : () -> exchange.breakOff(status, detail));
    }

    /** Ends both sides at once; the transfers are made to throw, so that they give their buffers back. */
    private void breakOff(Runnable client) {
        if (done) {
            return;
        }
        done = true;
        IOException why = new BrokenOff("the exchange was aborted");
        if (clientSink != null) {
            clientSink.fail(why);
        }
        UpstreamStream used = connection;
        release();
        if (used == null) {
            // the body may be complete on the upstream's side, and wait in a transfer
            wakeReads();
        }
        client.run();
    }

    /** The proxy handler gives up: one of its transfers failed. */
    @Override
    public void close() {
        if (!done) {
            boolean clean = responseEnded && exchange.isEnded();
            if (!clean) {
                clientGone();
            }
        }
    }

    @Override
    public boolean isOpen() {
        return !done;
    }
}
