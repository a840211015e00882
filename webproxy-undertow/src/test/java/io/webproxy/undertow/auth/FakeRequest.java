package io.webproxy.undertow.auth;

import io.webproxy.http.RequestHead;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** A request of which only the client and its Authorization fields matter. */
record FakeRequest(InetAddress clientAddress, List<String> authorization) implements RequestHead {
    static FakeRequest of(String... authorization) {
        return from("192.0.2.1", authorization);
    }

    static FakeRequest from(String client, String... authorization) {
        try {
            return new FakeRequest(InetAddress.getByName(client), List.of(authorization));
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    /** {@code Basic} with this pair of user and password. */
    static String basic(String pair) {
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public List<String> headers(String name) {
        return name.equalsIgnoreCase("Authorization") ? authorization : List.of();
    }

    @Override
    public String method() {
        return "GET";
    }

    @Override
    public String scheme() {
        return "https";
    }

    @Override
    public String authority() {
        return "localhost";
    }

    @Override
    public String path() {
        return "/";
    }

    @Override
    public String query() {
        return "";
    }

    @Override
    public String protocol() {
        return "HTTP/1.1";
    }

    @Override
    public Optional<String> header(String name) {
        return headers(name).stream().findFirst();
    }
}
