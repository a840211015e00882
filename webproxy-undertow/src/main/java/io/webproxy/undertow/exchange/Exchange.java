package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.util.AttachmentKey;
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
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One request and its response: the client, what was decided about the request, the error, byte counts, and the record
 * at the end. {@link ExchangeLimits} has its time limits, {@link ClientStream} its client's side.
 *
 * <p>Not thread-safe: it belongs to its connection's IO thread. Times are nanoseconds of a monotonic clock.
 */
public final class Exchange {
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
        this.head = new RequestView(this, http, path, requester);
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
        // last: if anything before throws, the exchange was never counted
        http.putAttachment(KEY, this);
        shared.started();
    }

    private ClientStream stream(ServerConnection connection) {
        if (connection instanceof ExchangeSource source) {
            return source.stream(this);
        }
        throw new IllegalArgumentException("no connection of ours: " + connection);
    }

    /** The exchange of one of Undertow's, or null if it has none. */
    public static @Nullable Exchange find(HttpServerExchange http) {
        return http.getAttachment(KEY);
    }

    /** The exchange of one of Undertow's. */
    public static Exchange of(HttpServerExchange http) {
        Exchange exchange = http.getAttachment(KEY);
        if (exchange == null) {
            throw new IllegalStateException("no exchange");
        }
        return exchange;
    }

    /** Undertow's exchange. */
    public HttpServerExchange http() {
        return http;
    }

    /** The client's side. */
    public ClientStream client() {
        return client;
    }

    /** The gRPC call, or null if it isn't one. */
    public @Nullable GrpcCall grpc() {
        return grpc;
    }

    /** Whether its endpoint or its route has been removed: long-lived exchanges should end. */
    public boolean isEnding() {
        return client.isLeaving() || limits.isRouteEnding();
    }

    /** The peer of the client's connection. */
    public Peer peer() {
        return peer;
    }

    /** The client's address as text: the peer's, or the one that a trusted proxy named. */
    public String clientName() {
        return head.clientAddress().equals(peer.address()) ? peer.name() : AddressText.of(head.clientAddress());
    }

    /** The client's address with its port, or 0 if only the address is known. */
    public InetSocketAddress clientSocket() {
        InetSocketAddress known = Origin.of(http.getConnection()).client();
        InetAddress named = head.clientAddress();
        return named.equals(known.getAddress()) ? known : new InetSocketAddress(named, 0);
    }

    /** What this exchange shares with the server's others. */
    public Exchanges shared() {
        return shared;
    }

    /** The request's id, for the upstream and the log. */
    public String requestId() {
        return requestId;
    }

    /** When its request head was complete. */
    Instant startTime() {
        return startTime;
    }

    /** Nanoseconds since its request head was complete. */
    public long age() {
        return sweeper.now() - start;
    }

    /** The request head. */
    public RequestHead head() {
        return head;
    }

    /** What was decided about it. */
    public RequestPlan plan() {
        if (plan == null) {
            throw new IllegalStateException("no route yet");
        }
        return plan;
    }

    /** What was decided about it, or null without a route. */
    @Nullable RequestPlan planIfRouted() {
        return plan;
    }

    /** The route that was chosen. */
    public Route route() {
        return plan().route();
    }

    /** Routes the request by this plan, with these timeouts. */
    public void routed(RequestPlan chosen, TimeoutPolicy timeouts) {
        plan = chosen;
        limits.choose(chosen.route(), timeouts, grpc == null ? -1 : grpc.timeout());
    }

    /** Replaces the plan after a further decision. */
    public void planned(RequestPlan more) {
        plan = more;
    }

    /** Sets the operator's error pages, for the proxy's own answers. */
    public void errorPages(@Nullable ErrorPages pages) {
        errorPages = pages;
    }

    /** The operator's error pages, or null for the proxy's own. */
    public @Nullable ErrorPages errorPages() {
        return errorPages;
    }

    /** What failed, or null. */
    public @Nullable ForwardError error() {
        return error;
    }

    /** Its time limits. */
    public ExchangeLimits limits() {
        return limits;
    }

    /** The client was authenticated by this name; an empty one is none. */
    public void authenticated(String name) {
        user = name.isEmpty() ? null : name;
    }

    /** The name by which the client was authenticated, or null. */
    public @Nullable String user() {
        return user;
    }

    /** Request-body bytes arrived from the client. */
    public void received(long bytes) {
        bytesIn += bytes;
    }

    /** Request-body bytes that have arrived from the client so far. */
    public long bytesIn() {
        return bytesIn;
    }

    /** Response-body bytes were sent towards the client. */
    public void sent(long bytes) {
        if (!client.isBodyDropped()) {
            bytesOut += bytes;
            client.sending(bytes);
        }
    }

    /** Response-body bytes that were sent towards the client so far. */
    long bytesOut() {
        return bytesOut;
    }

    /** The upstream that it uses. */
    public ChosenUpstream upstream() {
        return upstream;
    }

    /** The final response head has arrived: it may upgrade the timeout class. */
    public void responded(ResponseHead response) {
        long now = sweeper.now();
        firstByte = now - start;
        limits.responded(response, now);
    }

    /** Nanoseconds until the final response head arrived; -1 without one. */
    long firstByte() {
        return firstByte;
    }

    /** Records a failure; the first one counts. */
    public void failed(ForwardError what) {
        if (error == null && !ended) {
            error = what;
        }
    }

    /** Sets the status that the record shows instead of the one on the wire; the first one counts. */
    public void recordStatus(int shown) {
        status = status == 0 ? shown : status;
    }

    /** The request was malformed: its stream is reset, and the record shows this status if no other was sent. */
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

    /** Whether the proxy answers, not the upstream. */
    boolean isProxyAnswered() {
        return proxyAnswered;
    }

    /**
     * Ends it before its response is complete, visibly for the client: by a gRPC status if the stream can still carry
     * one, else by an abort.
     *
     * @param as the HTTP status that an answer would have had
     */
    public void breakOff(int as, String detail) {
        if (grpc == null || ended || !grpc.end(client, as, detail)) {
            client.abort();
        }
    }

    /**
     * Continues as a tunnel when Undertow's exchange is complete, until {@link #end()}, without a limit of the whole.
     */
    public void hold() {
        held = true;
        limits.liftTotal();
    }

    /** Whether it continues as a tunnel. */
    public boolean isHeld() {
        return held;
    }

    /**
     * The connection is about to close in the ordinary way, so a closed connection at the end doesn't mean that the
     * client left.
     */
    public void closing() {
        closing = true;
    }

    /** Undertow has found the client's connection or stream broken, and ends the exchange by itself. */
    public void clientLost() {
        if (error == null) {
            failed(ForwardError.CLIENT_ABORTED);
            status = http.isResponseStarted() ? status : 499;
        }
    }

    /** From now on only bytes pass: frees all fields but those that the record shows. */
    public void forgetFields() {
        ExchangeRecords.forgetOtherFields(http);
    }

    /** Whether it is over. */
    public boolean isEnded() {
        return ended;
    }

    /**
     * Ends the exchange; idempotent. Undertow calls this through its completion listener, and we do where that never
     * comes.
     */
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
                shared.recorder().ended(record(status != 0 ? status : http.getStatusCode()));
            }
        } finally {
            shared.ended();
        }
    }

    /** The record until now; {@code answered} is the status that it shows. */
    ExchangeData record(int answered) {
        return ExchangeRecords.of(this, answered);
    }

    @Override
    public String toString() {
        return head.method() + " " + head.path();
    }
}
