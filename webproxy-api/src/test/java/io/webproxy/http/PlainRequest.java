package io.webproxy.http;

import java.net.InetAddress;
import java.util.Optional;

/**
 * A request of which a test says only what matters to it: {@code GET https://localhost/} from the loopback address
 * otherwise.
 */
public interface PlainRequest extends RequestHead {
    @Override
    default String method() {
        return "GET";
    }

    @Override
    default String scheme() {
        return "https";
    }

    @Override
    default String authority() {
        return "localhost";
    }

    @Override
    default String path() {
        return "/";
    }

    @Override
    default String query() {
        return "";
    }

    @Override
    default String protocol() {
        return "HTTP/1.1";
    }

    @Override
    default InetAddress clientAddress() {
        return InetAddress.getLoopbackAddress();
    }

    @Override
    default Optional<String> header(String name) {
        return headers(name).stream().findFirst();
    }
}
