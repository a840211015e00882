package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.ErrorPages;
import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Route;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.observe.AddressText;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One request and its response: who has sent it, what was decided about it, who failed, what was moved, and the record
 * at the end. How long it may go on is the matter of its {@link ExchangeLimits}, what its client gets of its
 * {@link ClientStream}.
 *
 * <p>Not thread-safe: it belongs to its connection's IO thread. Times are nanoseconds of a monotonic clock.
 */
public final class Exchange {
    private static final Set<HttpString> RECORDED = Set.of(Headers.HOST, Headers.USER_AGENT, Headers.REFERER);
    private static final AttachmentKey<Exchange> KEY = AttachmentKey.create(Exchange.class);

    private final HttpServerExchange http;
    private final Exchanges shared;
    private final Sweeper sweeper;
    private final RequestHead head;
    private final ClientStream client;
    private final @Nullable GrpcCall grpc;
    private final Peer peer;
    private final Instant startTime = Instant.now();
    private final long start;
    private final String requestId;

    private final ExchangeLimits limits;
    private final ChosenUpstream upstream = new ChosenUpstream();

    private @Nullable RequestPlan plan;
    private @Nullable ErrorPages errorPages;
    private @Nullable String user;
    private @Nullable ForwardError error;
    private boolean proxyAnswered;
    private int status;
    private long bytesIn;
    private long bytesOut;
    private long firstByte = -1;
    private boolean held;
    private boolean closing;
    private boolean ended;

    /** Starts an exchange whose request head is complete. */
    public Exchange(HttpServerExchange http, Exchanges shared, Peer peer, Requester requester, String path) {
        this.peer = peer;
        this.http = http;
        this.shared = shared;
        this.sweeper = shared.sweeper(http.getIoThread());
        this.head = new RequestView(http, path, requester);
        this.start = sweeper.now();
        this.requestId = RequestIds.of(http.getRequestHeaders(), peer.trusted());
        this.limits = new ExchangeLimits(
                this, sweeper, start, Origin.of(http.getConnection()).endpoint());
        http.addExchangeCompleteListener((completed, next) -> {
            if (!held) {
                if (!closing && !http.getConnection().isOpen()) {
                    clientLost();
                }
                end();
            }
            next.proceed();
        });
        this.client = stream(http.getConnection());
        this.grpc = GrpcCall.of(http, client);
        // last: what has thrown before has no end either
        http.putAttachment(KEY, this);
        shared.started();
    }

    private ClientStream stream(ServerConnection connection) {
        if (connection instanceof ExchangeSource source) {
            return source.stream(this);
        }
        throw new IllegalArgumentException("no connection of ours: " + connection);
    }

    /** The exchange that belongs to Undertow's, or null for none. */
    public static @Nullable Exchange find(HttpServerExchange http) {
        return http.getAttachment(KEY);
    }

    /** The exchange that belongs to Undertow's. */
    public static Exchange of(HttpServerExchange http) {
        Exchange exchange = http.getAttachment(KEY);
        if (exchange == null) {
            throw new IllegalStateException("no exchange");
        }
        return exchange;
    }

    /** Undertow's view. */
    public HttpServerExchange http() {
        return http;
    }

    /** The client's side. */
    public ClientStream client() {
        return client;
    }

    /** The gRPC call that it is, or null. */
    public @Nullable GrpcCall grpc() {
        return grpc;
    }

    /** Whether the endpoint goes away, or the route has done so: what lasts is to come to its end. */
    public boolean isEnding() {
        return client.isLeaving() || limits.isRouteEnding();
    }

    /** Who is on the other end of the client's connection. */
    public Peer peer() {
        return peer;
    }

    /** The client's address in text: the peer's, or the one that a trusted proxy named. */
    public String clientName() {
        return head.clientAddress().equals(peer.address()) ? peer.name() : AddressText.of(head.clientAddress());
    }

    /** The client's address with its port, which is 0 if only the address was told. */
    public InetSocketAddress clientSocket() {
        InetSocketAddress known = Origin.of(http.getConnection()).client();
        InetAddress named = head.clientAddress();
        return named.equals(known.getAddress()) ? known : new InetSocketAddress(named, 0);
    }

    /** What this exchange shares with the others. */
    public Exchanges shared() {
        return shared;
    }

    /** What names the request here, at the upstream and in the log. */
    public String requestId() {
        return requestId;
    }

    /** How long ago its request head was complete, in nanoseconds. */
    public long age() {
        return sweeper.now() - start;
    }

    /** The request head. */
    public RequestHead head() {
        return head;
    }

    /** What has been decided about it. */
    public RequestPlan plan() {
        if (plan == null) {
            throw new IllegalStateException("no route yet");
        }
        return plan;
    }

    /** The route that was chosen. */
    public Route route() {
        return plan().route();
    }

    /** The request goes to the plan's route, with these timeouts. */
    public void routed(RequestPlan chosen, TimeoutPolicy timeouts) {
        plan = chosen;
        limits.choose(chosen.route(), timeouts, grpc == null ? -1 : grpc.timeout());
    }

    /** More has been decided about it. */
    public void planned(RequestPlan more) {
        plan = more;
    }

    /** The operator's pages, for what the proxy answers itself. */
    public void errorPages(@Nullable ErrorPages pages) {
        errorPages = pages;
    }

    /** The operator's pages, or null for the proxy's own. */
    public @Nullable ErrorPages errorPages() {
        return errorPages;
    }

    /** The leg that failed, or null. */
    public @Nullable ForwardError error() {
        return error;
    }

    /** How long it may go on, and who is told when it may no longer. */
    public ExchangeLimits limits() {
        return limits;
    }

    /** Who was authenticated. */
    public void authenticated(String name) {
        user = name;
    }

    /** Request-body bytes came from the client. */
    public void received(long bytes) {
        bytesIn += bytes;
    }

    /** Request-body bytes that came from the client so far. */
    public long bytesIn() {
        return bytesIn;
    }

    /** Response-body bytes went towards the client. */
    public void sent(long bytes) {
        if (!client.isBodyDropped()) {
            bytesOut += bytes;
            client.sending(bytes);
        }
    }

    /** Response-body bytes that went towards the client so far. */
    long bytesOut() {
        return bytesOut;
    }

    /** The upstream that it has gone to. */
    public ChosenUpstream upstream() {
        return upstream;
    }

    /** The final response head has arrived: it may upgrade the timeout class. */
    public void responded(ResponseHead response) {
        long now = sweeper.now();
        firstByte = now - start;
        limits.responded(response, now);
    }

    /** A leg failed; the first failure counts. */
    public void failed(ForwardError what) {
        if (error == null && !ended) {
            error = what;
        }
    }

    /** The status that the record shows in place of the one on the wire; the first counts. */
    public void recordStatus(int shown) {
        status = status == 0 ? shown : status;
    }

    /**
     * The client is told that its request is malformed, with this status if no other was sent, and its stream is reset.
     */
    public void refused(int with) {
        failed(ForwardError.REQUEST_REJECTED);
        if (!http.isResponseStarted()) {
            answered();
            recordStatus(with);
        }
    }

    /** The proxy answers, not the upstream. */
    public void answered() {
        proxyAnswered = true;
    }

    /**
     * Ends it before its response is whole, so that the client can tell it from a clean end: by the status of a gRPC
     * call, where the stream can still carry it, else by an abort.
     *
     * @param as the status of HTTP that it would be answered with
     */
    public void breakOff(int as, String detail) {
        if (grpc == null || ended || !grpc.end(client, as, detail)) {
            client.abort();
        }
    }

    /**
     * It goes on as a tunnel when Undertow's exchange is complete, until {@link #end()}, however long that takes as a
     * whole.
     */
    public void hold() {
        held = true;
        limits.liftTotal();
    }

    /** Whether it goes on as a tunnel. */
    public boolean isHeld() {
        return held;
    }

    /**
     * A closed connection at the end is no sign of a client that left: the proxy itself closes it, or the client has
     * ended its half already.
     */
    public void closing() {
        closing = true;
    }

    /** Undertow has found the client's connection or stream broken, and ends the exchange without asking. */
    public void clientLost() {
        if (error == null) {
            failed(ForwardError.CLIENT_ABORTED);
            status = http.isResponseStarted() ? status : 499;
        }
    }

    /** From now on only bytes pass: of the fields those stay that the record shows. */
    public void forgetFields() {
        HeaderMap fields = http.getRequestHeaders();
        for (HttpString name : List.copyOf(fields.getHeaderNames())) {
            if (!RECORDED.contains(name)) {
                fields.remove(name);
            }
        }
        http.getResponseHeaders().clear();
    }

    /** Whether it is over. */
    public boolean isEnded() {
        return ended;
    }

    /** It is over; idempotent. Undertow calls this through its completion listener, or we do where that never comes. */
    public void end() {
        if (ended) {
            return;
        }
        ended = true;
        client.unwatch();
        upstream.end();
        limits.ended();
        try {
            if (shared.recorder().isWanted()) {
                shared.recorder().ended(record());
            }
        } finally {
            shared.ended();
        }
    }

    private ExchangeData record() {
        return new ExchangeData(
                requestId,
                startTime,
                head.clientAddress(),
                user,
                head.method(),
                head.scheme(),
                head.authority(),
                head.path(),
                head.query(),
                head.protocol(),
                plan == null ? null : plan.route().name(),
                upstream.authority(),
                upstream.protocol(),
                status != 0 ? status : http.getStatusCode(),
                proxyAnswered,
                limits.startClass(),
                limits.timeoutClass(),
                bytesIn,
                bytesOut,
                Duration.ofNanos(upstream.connect()),
                firstByte < 0 ? null : Duration.ofNanos(firstByte),
                Duration.ofNanos(sweeper.now() - start),
                error,
                grpc == null ? null : grpc.status(),
                http.getRequestHeaders().getFirst(Headers.USER_AGENT),
                http.getRequestHeaders().getFirst(Headers.REFERER),
                plan == null ? Map.of() : plan.tags());
    }

    @Override
    public String toString() {
        return head.method() + " " + head.path();
    }
}
