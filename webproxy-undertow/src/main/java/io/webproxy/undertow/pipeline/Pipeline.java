package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.RequestPath;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The first handler of every request: starts its exchange, and runs the stages up to forwarding. Their order is the
 * security model; it is defined here and nowhere else. Thread-safe.
 */
public final class Pipeline implements HttpHandler {
    private final Exchanges exchanges;
    private final Supplier<Settings> settings;
    private final Stage[] stages;

    private Pipeline(Exchanges exchanges, Supplier<Settings> settings, Stage... stages) {
        this.exchanges = exchanges;
        this.settings = settings;
        this.stages = stages;
    }

    /**
     * For an endpoint that serves the routes.
     *
     * @param challenges ACME challenges, answered before any authentication or redirect; null for none
     * @param certificates those of the server
     * @param status what routes with the status page answer
     */
    public static Pipeline toRoutes(
            Exchanges exchanges,
            Supplier<Settings> settings,
            @Nullable HttpChallenges challenges,
            HostCertificates certificates,
            HttpHandler forwarder,
            StatusAnswer status) {
        Stage challenge = challenges == null ? passage -> true : challenges;
        Misdirection misdirection = new Misdirection(certificates);
        return new Pipeline(
                exchanges,
                settings,
                new Memory(exchanges),
                new HeadCheck(),
                new ExpiredIdentity(),
                challenge,
                misdirection,
                new CanonicalHost(),
                new Routing(misdirection),
                new EmptyBody(),
                new AddressLists(),
                new Rates(),
                new BodyLength(),
                new Authentication(),
                new Filtering(),
                new RouteAnswer(forwarder, status));
    }

    /** For an endpoint that redirects its clients to HTTPS. */
    public static Pipeline toRedirect(
            Exchanges exchanges, Supplier<Settings> settings, HttpChallenges challenges, Redirect redirect) {
        return new Pipeline(
                exchanges,
                settings,
                new Memory(exchanges),
                new HeadCheck(),
                new ExpiredIdentity(),
                challenges,
                redirect);
    }

    @Override
    public void handleRequest(HttpServerExchange http) throws Exception {
        http.addDefaultResponseListener(NeverDrained.INSTANCE);
        Settings now = settings.get();
        String raw = RequestPath.raw(http);
        boolean tooLong = raw != null && raw.length() > now.limits().requestTargetBytes();
        String path = raw == null || tooLong ? raw : RequestPath.normalized(raw);
        Exchange exchange = Client.of(http.getConnection(), now).exchange(http, exchanges, now, raw == null ? "" : raw);
        exchange.errorPages(now.errorPages());
        if (now.strictTransport() != null) {
            now.strictTransport().install(http);
        }
        new Passage(stages, exchange, now, path).goOn();
    }
}
