package io.webproxy.acme.ca;

import java.net.URI;
import java.net.http.HttpClient;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.Connection;
import org.shredzone.acme4j.connector.NetworkSettings;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.provider.GenericAcmeProvider;
import org.shredzone.acme4j.toolbox.JSON;

/**
 * The acme4j provider of one session with a CA; remembers the CA's last answer. Not thread-safe: only one thread uses a
 * session.
 */
public final class CaProvider extends GenericAcmeProvider {
    private final HttpClient client;
    private final Clock clock;
    private int status;
    private @Nullable Instant retryAfter;

    public CaProvider(HttpClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    @Override
    public HttpClient createHttpClient(NetworkSettings settings) {
        return client;
    }

    @Override
    public Connection connect(URI server, NetworkSettings settings, HttpClient httpClient) {
        return new CaConnection(this, createHttpConnector(settings, httpClient));
    }

    /** Fetched once per session: without an Expires header acme4j would fetch it before every request. */
    @Override
    @SuppressWarnings("NullAway") // acme4j takes null for unchanged, and says so by an annotation of its own.
    public JSON directory(Session session, URI server) throws AcmeException {
        return session.hasDirectory() ? null : super.directory(session, server);
    }

    void answered(int status, @Nullable Instant retryAfter) {
        this.status = status;
        this.retryAfter = retryAfter;
    }

    /** The HTTP status of the last answer; 0 before the first one. */
    public int status() {
        return status;
    }

    /** The {@code Retry-After} of the last answer. */
    Optional<Instant> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    Instant now() {
        return clock.instant();
    }
}
