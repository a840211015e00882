package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.ForwardedFields;
import io.webproxy.undertow.exchange.ForwardedStory;
import io.webproxy.undertow.exchange.Identity;
import io.webproxy.undertow.exchange.Origin;
import io.webproxy.undertow.exchange.Peer;
import io.webproxy.undertow.exchange.Requester;
import io.webproxy.undertow.observe.AddressText;
import java.net.InetAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a connection's requests share: who its client is, determined once. Not thread-safe: it belongs to the
 * connection's IO thread.
 */
final class Client {
    private static final AttachmentKey<Client> KEY = AttachmentKey.create(Client.class);

    private final Peer peer;
    /** The story of the last request, if the peer isn't trusted. */
    private @Nullable ForwardedStory last;

    private Client(Peer peer) {
        this.peer = peer;
    }

    /** The client of a connection, by these settings. */
    static Client of(ServerConnection connection, Settings now) {
        Client client = connection.getAttachment(KEY);
        Peer known = client == null ? null : client.peer;
        if (client != null
                && known != null
                && known.trusted() == now.trust().contains(known.address())
                && known.identity().isBy(now.clientCertificates())) {
            return client;
        }
        InetAddress address = Origin.of(connection).client().getAddress();
        boolean trusted = now.trust().contains(address);
        // dates are checked when a connection opens; a configuration that changes later doesn't end it
        Instant opened = known == null || known.identity().isExpired() ? Instant.now() : Instant.MIN;
        Identity identity = Identity.of(now.clientCertificates(), trusted, connection.getSslSession(), opened);
        client = new Client(new Peer(address, AddressText.of(address), trusted, identity));
        connection.putAttachment(KEY, client);
        return client;
    }

    /**
     * Starts an exchange for its next request.
     *
     * @param path the raw path
     */
    Exchange exchange(HttpServerExchange http, Exchanges exchanges, Settings now, String path) {
        peer.identity().strip(http.getRequestHeaders());
        now.userFields().strip(http.getRequestHeaders());
        // not :scheme, in which the client could write anything
        String scheme = http.getConnection().getSslSession() == null ? "http" : "https";
        ForwardedStory story = story(now, scheme, http.getRequestHeaders());
        http.putAttachment(ForwardedStory.KEY, story);
        return new Exchange(http, exchanges, peer, new Requester(story.client(), story.scheme()), path);
    }

    /** What trusted proxies say about the request. */
    private ForwardedStory story(Settings now, String scheme, HeaderMap fields) {
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
