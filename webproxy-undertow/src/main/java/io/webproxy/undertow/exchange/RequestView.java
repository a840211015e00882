package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.webproxy.http.RequestHead;
import io.webproxy.undertow.message.CommonNames;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/**
 * An exchange's request head, read-only, for users of the library. Any thread may read it while nothing else handles
 * the exchange.
 */
final class RequestView implements RequestHead {
    private final Exchange exchange;
    private final HttpServerExchange http;
    private final String path;
    private final Requester client;

    RequestView(Exchange exchange, HttpServerExchange http, String path, Requester client) {
        this.exchange = exchange;
        this.http = http;
        this.path = path;
        this.client = client;
    }

    @Override
    public String method() {
        return http.getRequestMethod().toString();
    }

    @Override
    public String scheme() {
        return client.scheme();
    }

    @Override
    public String authority() {
        String host = http.getRequestHeaders().getFirst(Headers.HOST);
        return host == null ? "" : host;
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public String query() {
        return http.getQueryString();
    }

    @Override
    public String protocol() {
        return http.getProtocol().toString();
    }

    @Override
    public InetAddress clientAddress() {
        return client.address();
    }

    @Override
    public Optional<String> header(String name) {
        return Optional.ofNullable(CommonNames.first(http.getRequestHeaders(), name));
    }

    @Override
    public List<String> headers(String name) {
        return CommonNames.all(http.getRequestHeaders(), name);
    }

    @Override
    public List<String> headerNames() {
        return CommonNames.names(http.getRequestHeaders());
    }

    @Override
    public Optional<String> user() {
        return Optional.ofNullable(exchange.user());
    }

    @Override
    public String requestId() {
        return exchange.requestId();
    }

    @Override
    public Optional<X509Certificate> clientCertificate() {
        return Optional.ofNullable(exchange.peer().identity().certificate());
    }
}
