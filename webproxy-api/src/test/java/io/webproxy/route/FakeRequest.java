package io.webproxy.route;

import io.webproxy.http.PlainRequest;
import java.util.ArrayList;
import java.util.List;

/** A request of which only the method and the fields matter; they stand in lines, {@code name: value}. */
public record FakeRequest(String method, String... lines) implements PlainRequest {
    public static final FakeRequest GET = new FakeRequest("GET");

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
}
