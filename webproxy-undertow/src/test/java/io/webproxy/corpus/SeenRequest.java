package io.webproxy.corpus;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** A request as it reached an upstream. Everything is written on the upstream's thread and read under its lock. */
public final class SeenRequest {
    private final boolean guarded;
    private final int connection;
    private final String head;
    private final boolean malformed;
    final ByteArrayOutputStream body = new ByteArrayOutputStream();
    boolean complete;
    boolean closed;

    SeenRequest(boolean guarded, int connection, String head, boolean malformed) {
        this.guarded = guarded;
        this.connection = connection;
        this.head = head;
        this.malformed = malformed;
    }

    /** Whether it came to the upstream behind the protected route. */
    public boolean isGuarded() {
        return guarded;
    }

    /** The number of the upstream connection it came on. */
    public int connection() {
        return connection;
    }

    /** Whether these bytes are no HTTP/1.1 request head, or not a whole one. */
    public boolean isMalformed() {
        return malformed;
    }

    /** Whether its body has come to its end. */
    public boolean isComplete() {
        return complete;
    }

    /** The request line and all field lines, without the empty line. */
    public List<String> lines() {
        return Arrays.asList(head.stripTrailing().split("\r\n", -1));
    }

    public String line() {
        return lines().get(0);
    }

    /** The body without its framing, trailers behind it as lines. */
    public String body() {
        return body.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public String toString() {
        return (guarded ? "protected " : "") + "connection " + connection + (malformed ? " malformed" : "")
                + (complete ? "" : " incomplete") + (closed ? " closed" : "") + "\n"
                + head + body();
    }
}
