package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.HostPattern;
import io.webproxy.route.Route;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.ForwardedFields;
import io.webproxy.undertow.exchange.ForwardedStory;
import io.webproxy.undertow.exchange.HeadProblem;
import io.webproxy.undertow.exchange.Identity;
import io.webproxy.undertow.exchange.LocalAnswer;
import io.webproxy.undertow.exchange.Origin;
import io.webproxy.undertow.exchange.RequestPath;
import io.webproxy.undertow.observe.AddressText;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The first handler of every request: guard, challenge, redirect, route and timeout class; then it is to be let in. */
public final class FrontHandler implements HttpHandler {
    private static final AttachmentKey<Client> CLIENT = AttachmentKey.create(Client.class);
    private static final DecisionWait.Late LATE_END =
            new DecisionWait.Late(408, "The end of the request didn't come in time.", ForwardError.REQUEST_REJECTED);

    private static final Map<String, List<String>> CROWDED = Map.of("Retry-After", List.of("1"));

    /** What is known of a connection's client. */
    private static final class Client {
        final Exchange.Peer peer;
        /** That of its last request, if it isn't trusted. */
        private @Nullable ForwardedStory last;

        Client(Exchange.Peer peer) {
            this.peer = peer;
        }

        /** What the upstream is told of it. */
        ForwardedStory story(Settings now, String scheme, HeaderMap fields) {
            String authority = ForwardedFields.authority(fields);
            ForwardedStory known = last;
            if (known != null && known.isOf(scheme, authority)) {
                return known;
            }
            ForwardedStory.Hop hop = new ForwardedStory.Hop(peer.address(), scheme, authority);
            if (peer.trusted()) {
                return now.trust().read(hop, fields);
            }
            known = ForwardedStory.none(hop);
            last = known;
            return known;
        }
    }

    private final Exchanges exchanges;
    private final Supplier<Settings> settings;
    private final Admission admission;
    private final Misdirection misdirection;
    private final @Nullable Redirect redirect;
    private final @Nullable HttpChallenges challenges;

    /**
     * A handler of one endpoint.
     *
     * @param certificates those of the server
     * @param redirect answers every request that passes the guard, or null to forward it
     * @param challenges are answered before that; null for none
     */
    public FrontHandler(
            Exchanges exchanges,
            Supplier<Settings> settings,
            HttpHandler forwarder,
            HostCertificates certificates,
            @Nullable Redirect redirect,
            @Nullable HttpChallenges challenges) {
        this.exchanges = exchanges;
        this.settings = settings;
        this.admission = new Admission(forwarder);
        this.misdirection = new Misdirection(certificates);
        this.redirect = redirect;
        this.challenges = challenges;
    }

    @Override
    public void handleRequest(HttpServerExchange http) throws Exception {
        http.addDefaultResponseListener(NeverDrained.INSTANCE);
        Settings now = settings.get();
        String raw = RequestPath.raw(http);
        boolean tooLong = raw != null && raw.length() > now.limits().requestTargetBytes();
        String path = raw == null || tooLong ? raw : RequestPath.normalized(raw);
        Client client = client(http.getConnection(), now);
        Exchange.Peer peer = client.peer;
        peer.identity().strip(http.getRequestHeaders());
        Exchange exchange = exchange(http, now, client, raw == null ? "" : raw);
        exchange.errorPages(now.errorPages());
        if (now.strictTransport() != null) {
            now.strictTransport().install(http);
        }
        if (exchanges.isCrowded()) {
            LocalAnswer.reject(exchange, 503, "The server has no memory to spare: try again later.", CROWDED);
            return;
        }
        HeadProblem problem = exchange.client().headProblem();
        RequestGuard.Refusal refusal = problem != null
                ? new RequestGuard.Refusal(problem.status(), problem.detail())
                : RequestGuard.check(
                        http,
                        path,
                        now.limits(),
                        exchange.client().isMultiplexed(),
                        exchange.client().isTunnelRequest());
        if (refusal != null || path == null) {
            LocalAnswer.reject(
                    exchange,
                    refusal == null ? 400 : refusal.status(),
                    refusal == null ? "The request target is malformed." : refusal.detail(),
                    refusal == null ? Map.of() : refusal.fields());
            return;
        }
        if (peer.identity().isExpired()) {
            LocalAnswer.reject(exchange, 403, "The client certificate has expired.");
            return;
        }
        if (challenges != null && challenges.answer(exchange, path)) {
            return;
        }
        if (redirect != null) {
            redirect.answer(exchange);
        } else {
            route(exchange, now, path);
        }
    }

    private Exchange exchange(HttpServerExchange http, Settings now, Client client, String path) {
        // not what :scheme says: the client could write anything there
        String scheme = http.getConnection().getSslSession() == null ? "http" : "https";
        ForwardedStory story = client.story(now, scheme, http.getRequestHeaders());
        http.putAttachment(ForwardedStory.KEY, story);
        return new Exchange(http, exchanges, client.peer, new Exchange.Requester(story.client(), story.scheme()), path);
    }

    private static Client client(ServerConnection connection, Settings now) {
        Client client = connection.getAttachment(CLIENT);
        Exchange.Peer known = client == null ? null : client.peer;
        if (client != null
                && known != null
                && known.trusted() == now.trust().contains(known.address())
                && known.identity().isBy(now.clientCertificates())) {
            return client;
        }
        InetAddress address = Origin.of(connection).client().getAddress();
        boolean trusted = now.trust().contains(address);
        // the dates are looked at when a connection opens; a configuration that changes later doesn't end it
        Instant opened = known == null || known.identity().isExpired() ? Instant.now() : Instant.MIN;
        Identity identity = Identity.of(now.clientCertificates(), trusted, connection.getSslSession(), opened);
        client = new Client(new Exchange.Peer(address, AddressText.of(address), trusted, identity));
        connection.putAttachment(CLIENT, client);
        return client;
    }

    private void route(Exchange exchange, Settings now, String path) throws Exception {
        String host = HostPattern.hostOf(exchange.head().authority());
        if (misdirection.isOfAnotherHost(exchange, now, host)) {
            LocalAnswer.reject(exchange, 421, "This connection was opened for another host: open one for this host.");
            return;
        }
        if (now.canonicalHost().answer(exchange, host)) {
            return;
        }
        Route route = now.routes().find(host, path, exchange.head());
        if (!RequestPath.isReadAlike(
                exchange.head().path(), path, other -> now.routes().find(host, other, exchange.head()) == route)) {
            LocalAnswer.reject(exchange, 400, "The request target could be read as a path of another route.");
            return;
        }
        if (route == null) {
            if (misdirection.isUnknown(exchange, now, host)) {
                LocalAnswer.reject(exchange, 421, "This server has no service and no certificate for this host.");
            } else {
                LocalAnswer.send(exchange, 404, "There is no service for this host and path.", Map.of());
            }
            return;
        }
        exchange.routed(route, route.timeouts().orElse(now.timeouts()), path);
        if (!route.path().matches(path)) {
            Redirect.addSlash(exchange, route.path());
            return;
        }
        CompletionStage<Boolean> end = exchange.client().endOfEmptyRequest();
        if (end == null) {
            admission.admit(exchange, now);
        } else {
            DecisionWait.<Boolean>on(exchange, end, LATE_END, (ended, failure) -> admission.admit(exchange, now));
        }
    }
}
