package io.webproxy.auth;

import io.webproxy.http.PlainRequest;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/** A request of which only the client and its Authorization fields matter. */
record FakeRequest(InetAddress clientAddress, List<String> authorization) implements PlainRequest {
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
}
