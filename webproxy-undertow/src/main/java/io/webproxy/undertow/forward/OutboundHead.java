package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.spi.HostHeader;
import io.webproxy.spi.PathPrefix;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.ForwardedFields;
import io.webproxy.undertow.exchange.ForwardedStory;
import io.webproxy.undertow.exchange.GrpcCall;
import io.webproxy.undertow.exchange.MaxForwards;
import io.webproxy.undertow.exchange.Peer;
import io.webproxy.undertow.exchange.RequestIds;
import io.webproxy.undertow.exchange.RequestPath;
import io.webproxy.undertow.exchange.UpstreamPath;
import io.webproxy.undertow.exchange.UserFields;
import io.webproxy.undertow.message.Cookies;
import io.webproxy.undertow.message.FieldNames;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.message.Grpc;
import io.webproxy.undertow.upstream.HeadWriter;
import io.webproxy.undertow.upstream.RequestFraming;
import io.webproxy.undertow.upstream.UnwritableException;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The request head for the upstream: the client's without hop-by-hop fields, with the forwarding fields. Made once for
 * an exchange, and written for each upstream.
 *
 * <p>Undertow's {@code ProxyHandler} (2.4.4) forwards the fields that {@code Connection} names, and makes forwarding
 * fields of its own. Canary: {@code ProxyHandlerDefectsTest.hopByHopFieldsAreForwarded}.
 */
final class OutboundHead {
    private static final Set<String> WITH_BODY = Set.of("POST", "PUT", "PATCH");

    /** Credentials whose look-alikes never pass. */
    private static final Set<HttpString> OF_BASIC_AUTH = Set.of(Headers.AUTHORIZATION);

    /** Fields that the proxy sets itself. */
    private static final Set<HttpString> OWN = own();

    private final Exchange exchange;
    private final HttpServerExchange http;
    private final HeaderMap in;
    private final RequestFraming framing;
    private final FieldNames names;
    private final @Nullable String ownCookie;
    private final @Nullable Upgrade upgrade;
    private final String target;
    private boolean login;
    /** Null if the route rewrites no locations. */
    private @Nullable Locations locations;

    /**
     * The head of an exchange's request.
     *
     * @param ownCookie the name of the proxy's own cookie; null for none
     * @throws UnwritableException if the route's changes lead to an invalid path
     */
    OutboundHead(Exchange exchange, @Nullable String ownCookie) {
        this.ownCookie = ownCookie;
        this.exchange = exchange;
        this.http = exchange.http();
        this.in = http.getRequestHeaders();
        this.names = new FieldNames(
                in,
                exchange.peer().identity().header(),
                reserved(exchange),
                exchange.plan().unusualNamesPass());
        this.upgrade = Upgrade.of(exchange);
        this.framing = framing();
        this.target = target();
    }

    /** The protocol that the head asks to switch to; null for none. */
    @Nullable Upgrade upgrade() {
        return upgrade;
    }

    private boolean isWebSocket() {
        return upgrade != null && upgrade.isWebSocket();
    }

    /** How the body is framed. */
    RequestFraming requestFraming() {
        return framing;
    }

    private RequestFraming framing() {
        if (http.isRequestComplete()) {
            return RequestFraming.NONE;
        }
        String length = in.getFirst(Headers.CONTENT_LENGTH);
        return length == null ? RequestFraming.CHUNKED : RequestFraming.ofLength(Long.parseLong(length));
    }

    /** Whether the head that was written last carries connection credentials. */
    boolean isLogin() {
        return login;
    }

    /**
     * Writes the head.
     *
     * @param upstream the upstream that gets it
     * @throws UnwritableException if the protocol can't carry it
     */
    void writeTo(HeadWriter out, Upstream upstream) {
        String method = http.getRequestMethod().toString();
        String authority = ForwardedFields.authority(in);
        login = false;
        Route route = exchange.route();
        String scheme = upstream.tls() ? "https" : "http";
        String host = host(route.rewrite().hostHeader(), authority, upstream);
        if (route.rewrite().locations()) {
            locations = new Locations(
                    route,
                    new Locations.WebOrigin(exchange.head().scheme(), authority),
                    new Locations.WebOrigin(scheme, host),
                    new Locations.WebOrigin(scheme, upstream.authority()));
        }
        boolean http2 = out.isHttp2();
        if (http2 && isWebSocket()) {
            out.startWebSocket(scheme, host, target);
        } else {
            out.start(method, scheme, host, target);
        }
        copy(out);
        Peer peer = exchange.peer();
        Objects.requireNonNull(http.getAttachment(ForwardedStory.KEY), "story")
                .write(out, exchange.plan().forwarded(), peer.name(), exchange.clientName());
        out.field(RequestIds.FIELD, exchange.requestId());
        out.field(LoopGuard.FIELD, LoopGuard.extended(in, exchange.shared().serverId()));
        if (exchange.plan().forwarded().hasXForwarded()) {
            ForwardedFields.writePrefix(
                    out, in, prefixIsHidden(route) ? route.path() : PathPrefix.root(), peer.trusted());
        }
        peer.identity().fields().forEach(out::field);
        String user = exchange.user();
        if (user != null && route.userField().isPresent()) {
            out.field(new HttpString(route.userField().get()), user);
        }
        if (framing.isChunked()) {
            if (!http2) {
                out.field(Headers.TRANSFER_ENCODING, "chunked");
            }
        } else if (!framing.isNone()) {
            out.field(Headers.CONTENT_LENGTH, Long.toString(framing.length()));
        } else if (in.contains(Headers.CONTENT_LENGTH) || (WITH_BODY.contains(method) && !http2)) {
            out.field(Headers.CONTENT_LENGTH, "0");
        }
        if (upgrade != null) {
            if (!http2) {
                out.field(Headers.CONNECTION, "Upgrade");
                out.field(Headers.UPGRADE, upgrade.protocol());
            }
        } else if (in.contains(Headers.TE) && FieldRules.hasToken(in, Headers.TE, "trailers")) {
            if (!http2) {
                out.field(Headers.CONNECTION, "TE");
            }
            out.field(Headers.TE, "trailers");
        }
    }

    /** What the upstream that the head was written for calls its own; null if the route rewrites no locations. */
    @Nullable Locations locations() {
        return locations;
    }

    /** Whether the upstream doesn't see the route's prefix: a filter's path is the upstream's own. */
    private boolean prefixIsHidden(Route route) {
        return route.rewrite().prefix().isPresent() && exchange.plan().rewrittenPath() == null;
    }

    private void copy(HeadWriter out) {
        List<HeaderEdit> ofRoute = exchange.route().rewrite().requestHeaders();
        HeaderMap edited = ofRoute.isEmpty() && exchange.plan().requestEdits().isEmpty() ? null : new HeaderMap();
        Set<HttpString> named = FieldRules.namedByConnection(in);
        for (long i = in.fastIterateNonEmpty(); i != -1; i = in.fiNextNonEmpty(i)) {
            HeaderValues values = in.fiCurrent(i);
            if (!passes(values.getHeaderName(), named)) {
                continue;
            }
            if (edited == null) {
                write(out, values);
            } else {
                edited.addAll(values.getHeaderName(), values);
            }
        }
        if (edited != null) {
            HeaderEdits.apply(ofRoute, edited);
            HeaderEdits.apply(exchange.plan().requestEdits(), edited);
            // only the handshake identifies the client, whatever the configured field names
            exchange.peer().identity().strip(edited);
            // and only the authenticator names the user, where that is sent
            if (exchange.route().userField().isPresent()) {
                new UserFields(List.of(
                                new HttpString(exchange.route().userField().get())))
                        .strip(edited);
            }
            for (long i = edited.fastIterateNonEmpty(); i != -1; i = edited.fiNextNonEmpty(i)) {
                write(out, edited.fiCurrent(i));
            }
        }
    }

    private void write(HeadWriter out, HeaderValues values) {
        if (out.isHttp2() && isWebSocket() && values.getHeaderName().equals(WebSocketAccept.KEY)) {
            // RFC 8441 section 5
            return;
        }
        GrpcCall call = exchange.grpc();
        login |= values.getHeaderName().equals(Headers.AUTHORIZATION) && ConnectionLogin.isLogin(values);
        if ((ownCookie != null || values.size() > 1) && values.getHeaderName().equals(Headers.COOKIE)) {
            writeCookies(out, ownCookie == null ? values : Cookies.without(values, ownCookie));
        } else if (values.getHeaderName().equals(Headers.MAX_FORWARDS) && MaxForwards.isFor(http)) {
            out.field(Headers.MAX_FORWARDS, MaxForwards.next(http));
        } else if (call != null && values.getHeaderName().equals(Grpc.TIMEOUT)) {
            out.field(Grpc.TIMEOUT, call.timeoutLeft(values.getFirst(), exchange.age()));
        } else if (locations != null && values.getHeaderName().equals(Locations.DESTINATION)) {
            Locations known = locations;
            values.forEach(value -> out.field(Locations.DESTINATION, known.destination(value)));
        } else {
            out.fields(values);
        }
    }

    private static void writeCookies(HeadWriter out, List<String> fields) {
        if (out.isHttp2()) {
            fields.forEach(field -> out.field(Headers.COOKIE, field));
        } else if (!fields.isEmpty()) {
            // HTTP/2 splits it, HTTP/1.1 has it once (RFC 9113 section 8.2.3)
            out.field(Headers.COOKIE, String.join("; ", fields));
        }
    }

    private static Set<HttpString> own() {
        Set<HttpString> own = new HashSet<>(FieldRules.HOP_BY_HOP);
        own.addAll(ForwardedFields.ALL);
        own.addAll(Set.of(Headers.HOST, Headers.CONTENT_LENGTH, RequestIds.FIELD, LoopGuard.FIELD));
        return Set.copyOf(own);
    }

    private boolean passes(HttpString name, Set<HttpString> named) {
        return !((OWN.contains(name) && !isOfTrustedProxy(name))
                || named.contains(name)
                || !names.passes(name)
                || exchange.plan().kept().contains(name));
    }

    /** Whether it is a trusted proxy's forwarding field, of a family that this server doesn't write. */
    private boolean isOfTrustedProxy(HttpString name) {
        return exchange.peer().trusted()
                && ForwardedFields.isUnwritten(name, exchange.plan().forwarded());
    }

    /** The field names that the route matches, and those that it, its filter or its authenticator sets or removes. */
    private static Set<String> reserved(Exchange exchange) {
        Route route = exchange.route();
        if (route.headers().isEmpty()
                && route.rewrite().requestHeaders().isEmpty()
                && exchange.plan().requestEdits().isEmpty()
                && OF_BASIC_AUTH.containsAll(exchange.plan().kept())) {
            return Set.of();
        }
        Set<String> reserved = new HashSet<>();
        route.headers().forEach(match -> reserved.add(match.name()));
        route.rewrite().requestHeaders().forEach(edit -> reserved.add(edit.name()));
        exchange.plan().requestEdits().forEach(edit -> reserved.add(edit.name()));
        exchange.plan().kept().forEach(name -> reserved.add(name.toString()));
        return reserved;
    }

    /** The trailers to forward to the upstream; null for none. */
    @Nullable HeaderMap trailers(@Nullable HeaderMap trailers) {
        if (trailers == null) {
            return null;
        }
        HeaderMap allowed = names.trailers(trailers);
        exchange.plan().kept().forEach(allowed::remove);
        exchange.plan().userFields().strip(allowed);
        return allowed;
    }

    private String target() {
        String path = exchange.plan().rewrittenPath();
        if (path != null && RequestPath.normalized(path) == null) {
            throw new UnwritableException("the filter makes no legal path of its path");
        }
        if (path == null) {
            Route route = exchange.route();
            path = UpstreamPath.of(exchange.head().path(), exchange.plan().path(), route.path(), route.rewrite());
        }
        if (path == null) {
            throw new UnwritableException("the route makes no legal path of its path");
        }
        String query = http.getQueryString();
        return query.isEmpty() && !exchange.client().isQueryEmpty() ? path : path + "?" + query;
    }

    private static String host(HostHeader policy, String client, Upstream upstream) {
        return policy.isClient()
                ? client
                : policy.authority()
                        .orElseGet(() -> upstream.port() == (upstream.tls() ? 443 : 80)
                                ? upstream.host()
                                : upstream.authority());
    }
}
