package io.webproxy.undertow.http2;

import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.ContentLength;
import java.util.Arrays;

/**
 * Collects the head of a request (RFC 9113 section 8.3.1), and encodes it when it is complete, because HPACK's table
 * can't undo a block that isn't sent.
 *
 * <p>Not thread-safe: one instance serves all requests of a connection, each within {@link OutboundStream#send}.
 */
public final class RequestBlock {
    private static final HttpString METHOD = new HttpString(":method");
    private static final HttpString SCHEME = new HttpString(":scheme");
    private static final HttpString PATH = new HttpString(":path");
    private static final HttpString AUTHORITY = new HttpString(":authority");
    private static final HttpString PROTOCOL = new HttpString(":protocol");
    private static final int USUAL = 32;

    private HttpString[] names = new HttpString[USUAL];
    private String[] values = new String[USUAL];
    private int count;
    private boolean head;
    private boolean tunnel;
    private long contentLength;

    RequestBlock() {}

    void clear() {
        count = 0;
        head = false;
        tunnel = false;
        contentLength = -1;
    }

    /** Starts a head; the fields follow. */
    public void start(String method, String scheme, String authority, String target) {
        head = method.equals("HEAD");
        add(METHOD, method);
        add(SCHEME, scheme);
        if (!authority.isEmpty()) {
            // a request of HTTP/1.0 may have none (RFC 9113 section 8.3.1)
            add(AUTHORITY, authority);
        }
        add(PATH, target);
    }

    /** Starts the head of an extended CONNECT for a WebSocket (RFC 8441 section 4). */
    public void startWebSocket(String scheme, String authority, String target) {
        tunnel = true;
        start("CONNECT", scheme, authority, target);
        add(PROTOCOL, "websocket");
    }

    /** Adds a field; its name is sent in lower case. */
    public void field(HttpString name, String value) {
        if (name.equals(Headers.CONTENT_LENGTH)) {
            contentLength = ContentLength.parse(value);
        }
        add(name, value);
    }

    private void add(HttpString name, String value) {
        if (count == names.length) {
            names = Arrays.copyOf(names, 2 * count);
            values = Arrays.copyOf(values, 2 * count);
        }
        names[count] = name;
        values[count++] = value;
    }

    /** Whether the response has no body because the method is HEAD. */
    boolean isHead() {
        return head;
    }

    /** Whether the stream becomes a tunnel. */
    boolean isTunnel() {
        return tunnel;
    }

    /** The announced length of the body, -1 if unknown. */
    long contentLength() {
        return contentLength;
    }

    /** Encodes it as one block. */
    void encode(HpackEncoder encoder) {
        encoder.start();
        for (int i = 0; i < count; i++) {
            encoder.field(names[i], values[i]);
            // fields may be secret, and the next request may have fewer
            values[i] = "";
        }
    }
}
