package io.webproxy.route;

import io.webproxy.http.RequestHead;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/** A request of which only the method and the fields matter; they stand in lines, {@code name: value}. */
record FakeRequest(String method, String... lines) implements RequestHead {
    static final FakeRequest GET = new FakeRequest("GET");

    @Override
    public List<String> headers(String name) {
        List<String> values = new ArrayList<>();
        for (String line : lines) {
            int colon = line.indexOf(':');
            if (line.substring(0, colon).equalsIgnoreCase(name)) {
                values.add(line.substring(colon + 1).strip());
            }
        }
        return values;
    }

    @Override
    public String header(String name) {
        List<String> values = headers(name);
        return values.isEmpty() ? null : values.get(0);
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
    public InetAddress clientAddress() {
        return InetAddress.getLoopbackAddress();
    }
}
