package io.webproxy.undertow.upstream;

import io.undertow.util.HttpString;
import io.webproxy.undertow.http2.RequestBlock;
import io.webproxy.undertow.message.FieldParser;

/**
 * Writes a request head in HTTP/2 form (RFC 9113 section 8.3.1). It also refuses what HTTP/1.1 couldn't carry: the
 * upstream may forward over HTTP/1.1.
 */
final class Http2Head implements HeadWriter {
    private final RequestBlock block;
    private boolean webSocket;

    Http2Head(RequestBlock block) {
        this.block = block;
    }

    @Override
    public boolean isHttp2() {
        return true;
    }

    /** Whether it asks for a WebSocket. */
    boolean isWebSocket() {
        return webSocket;
    }

    @Override
    public void start(String method, String scheme, String authority, String target) {
        RequestHeadWriter.checkMethod(method);
        check(authority, target);
        block.start(method, scheme, authority, target);
    }

    @Override
    public void startWebSocket(String scheme, String authority, String target) {
        check(authority, target);
        webSocket = true;
        block.startWebSocket(scheme, authority, target);
    }

    private static void check(String authority, String target) {
        RequestHeadWriter.checkTarget(target);
        check(authority);
    }

    @Override
    public void field(HttpString name, String value) {
        int length = name.length();
        if (length == 0) {
            throw new UnwritableException("a field has no name");
        }
        for (int i = 0; i < length; i++) {
            if (!FieldParser.isToken(name.byteAt(i))) {
                throw new UnwritableException("a field name isn't a token");
            }
        }
        check(value);
        block.field(name, value);
    }

    private static void check(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (!RequestHeadWriter.isLegal(value.charAt(i))) {
                throw new UnwritableException("a field value has a control character");
            }
        }
    }
}
