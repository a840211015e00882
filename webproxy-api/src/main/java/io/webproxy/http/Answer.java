package io.webproxy.http;

import io.webproxy.spi.HeaderEdit;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A response made by the server itself, without an upstream: status, fields and a small body. Immutable. */
public final class Answer {
    private final int status;
    private final Map<String, List<String>> headers;
    private final byte[] body;

    private Answer(int status, Map<String, List<String>> headers, byte[] body) {
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    /**
     * A status without a body.
     *
     * @param status 200 to 599
     * @throws IllegalArgumentException if it is another
     */
    public static Answer of(int status) {
        if (status < 200 || status > 599) {
            throw new IllegalArgumentException("status: " + status + " (expected: 200-599)");
        }
        return new Answer(status, Map.of(), new byte[0]);
    }

    /** A status and a text in {@code text/plain}, UTF-8. */
    public static Answer text(int status, String text) {
        return of(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * A status and a body.
     *
     * @param contentType of the body
     * @param body is copied; must be empty for a status without a body (204, 205, 304)
     */
    public static Answer of(int status, String contentType, byte[] body) {
        Objects.requireNonNull(body, "body");
        if ((status == 204 || status == 205 || status == 304) && body.length > 0) {
            throw new IllegalArgumentException(
                    "body: " + body.length + " bytes (expected: none with status " + status + ")");
        }
        Answer bare = of(status).withHeader("Content-Type", contentType);
        return new Answer(status, bare.headers, body.clone());
    }

    /**
     * Redirects the client.
     *
     * @param status 301, 302, 303, 307 or 308
     * @param location a URI reference (RFC 9110 section 10.2.2)
     */
    public static Answer redirect(int status, String location) {
        if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
            throw new IllegalArgumentException("status: " + status + " (expected: 301, 302, 303, 307 or 308)");
        }
        return of(status).withHeader("Location", location);
    }

    /**
     * The same with one more field; fields of the same name stay.
     *
     * @throws IllegalArgumentException if name or value can't be one, see {@link HeaderEdit}
     */
    public Answer withHeader(String name, String value) {
        HeaderEdit checked = new HeaderEdit(HeaderEdit.Kind.ADD, name, value);
        Map<String, List<String>> more = new LinkedHashMap<>(headers);
        more.merge(checked.name(), List.of(checked.value()), (before, added) -> {
            List<String> both = new ArrayList<>(before);
            both.addAll(added);
            return List.copyOf(both);
        });
        return new Answer(status, Collections.unmodifiableMap(more), body);
    }

    /** The status, 200 to 599. */
    public int status() {
        return status;
    }

    /** The fields, in order. */
    public Map<String, List<String>> headers() {
        return headers;
    }

    /** A copy of the body; empty when there is none. */
    public byte[] body() {
        return body.clone();
    }

    @Override
    public String toString() {
        return "Answer[" + status + ", " + body.length + " bytes]";
    }
}
