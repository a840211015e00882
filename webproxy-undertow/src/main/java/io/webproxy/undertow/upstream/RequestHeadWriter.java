package io.webproxy.undertow.upstream;

import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.FieldParser;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Writes a request head in HTTP/1.1 form (RFC 9112 section 3). It is defence in depth against request splitting: it
 * refuses what can't be part of a line, even if an earlier check missed it. Not thread-safe; one instance per IO
 * thread.
 */
final class RequestHeadWriter implements HeadWriter {
    private byte[] bytes = new byte[2048];
    private int length;

    @Override
    public boolean isHttp2() {
        return false;
    }

    @Override
    public void startWebSocket(String scheme, String authority, String target) {
        throw new UnwritableException("HTTP/1.1 has no extended CONNECT");
    }

    @Override
    public void start(String method, String scheme, String authority, String target) {
        length = 0;
        checkMethod(method);
        checkTarget(target);
        bytes(method);
        put(' ');
        bytes(target);
        bytes(" HTTP/1.1\r\n");
        field(Headers.HOST, authority);
    }

    static void checkMethod(String method) {
        if (!FieldParser.isToken(method)) {
            throw new UnwritableException("the method isn't a token");
        }
    }

    static void checkTarget(String target) {
        if (target.isEmpty()) {
            throw new UnwritableException("there is no request target");
        }
        boolean query = false;
        for (int i = 0; i < target.length(); i++) {
            char c = target.charAt(i);
            query |= c == '?';
            // in a query, bytes above ASCII pass as the client sent them
            boolean isRawByte = query && c > 0x7f && c <= 0xff;
            if (c <= ' ' || (c >= 0x7f && !isRawByte) || c == '#') {
                throw new UnwritableException("the request target has a character that must be percent-encoded");
            }
        }
    }

    /** Whether a character may be part of a field value. */
    static boolean isLegal(char c) {
        return c <= 0xff && c != 0x7f && (c >= ' ' || c == '\t');
    }

    @Override
    public void field(HttpString name, String value) {
        int nameLength = name.length();
        int valueLength = value.length();
        room(nameLength + valueLength + 4);
        if (nameLength == 0) {
            throw new UnwritableException("a field has no name");
        }
        byte[] out = bytes;
        int at = length;
        name.copyTo(out, at);
        for (int end = at + nameLength; at < end; at++) {
            if (!FieldParser.isToken(out[at])) {
                throw new UnwritableException("a field name isn't a token");
            }
        }
        out[at++] = ':';
        out[at++] = ' ';
        for (int i = 0; i < valueLength; i++) {
            char c = value.charAt(i);
            if (!isLegal(c)) {
                throw new UnwritableException("a field value has a control character");
            }
            out[at++] = (byte) c;
        }
        out[at++] = '\r';
        out[at++] = '\n';
        length = at;
    }

    /** The complete head. */
    ByteBuffer end() {
        room(2);
        bytes[length++] = '\r';
        bytes[length++] = '\n';
        return ByteBuffer.wrap(Arrays.copyOf(bytes, length));
    }

    private void put(char c) {
        room(1);
        bytes[length++] = (byte) c;
    }

    /** One byte for each character. */
    private void bytes(String text) {
        room(text.length());
        for (int i = 0; i < text.length(); i++) {
            bytes[length++] = (byte) text.charAt(i);
        }
    }

    private void room(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
        }
    }
}
