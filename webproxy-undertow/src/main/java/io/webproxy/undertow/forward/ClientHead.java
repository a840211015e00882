package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.message.HttpDate;
import io.webproxy.undertow.upstream.ParsedHead;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The response head for the client: the upstream's without hop-by-hop fields, edited as the route says. */
final class ClientHead {
    /** The number of the attempt that the response answers, from 1, on routes that send requests again. */
    private static final HttpString ATTEMPT = new HttpString("X-Webproxy-Attempt");

    private ClientHead() {}

    /** Makes the fields of an upstream's response those for the client, but for the proxy's own part. */
    static void prepare(Exchange exchange, ParsedHead answer) {
        HeaderMap fields = answer.fields();
        FieldRules.stripHopByHop(fields);
        if (!fields.contains(Headers.DATE)) {
            // the time of receipt (RFC 9110 section 6.6.1)
            fields.put(Headers.DATE, HttpDate.now());
        }
        if (exchange.route().retryOn().isOn()) {
            fields.put(ATTEMPT, Integer.toString(exchange.upstream().attempt()));
        }
        edit(exchange, fields);
    }

    /**
     * Completes prepared fields.
     *
     * @param edits those of a filter
     * @param cookie the proxy's own, or null; no edits apply to it
     */
    static HeaderMap complete(
            Exchange exchange, ParsedHead answer, List<HeaderEdit> edits, @Nullable SessionCookie cookie) {
        HeaderMap fields = answer.fields();
        HeaderEdits.apply(edits, fields);
        if (cookie != null) {
            cookie.applyTo(fields);
        }
        HttpServerExchange http = exchange.http();
        if (!answer.isLengthKnown() && http.isHttp11() && !exchange.client().isMultiplexed()) {
            // also if the connection ends after it: a cut must look like one
            fields.put(Headers.TRANSFER_ENCODING, "chunked");
        } else if (http.isHttp10() && http.isPersistent() && answer.isLengthKnown()) {
            fields.put(Headers.CONNECTION, "keep-alive");
        }
        return fields;
    }

    /** Drops what would send the client past this server (RFC 7838), unless the route keeps it. */
    static void dropAltSvc(Exchange exchange, HeaderMap fields) {
        if (!exchange.route().keepsAltSvc()) {
            fields.remove(FieldRules.ALT_SVC);
        }
    }

    /** Makes the edits for all responses of upstreams, and the route's. */
    static void edit(Exchange exchange, HeaderMap fields) {
        dropAltSvc(exchange, fields);
        HeaderEdits.apply(exchange.route().rewrite().responseHeaders(), fields);
    }
}
