package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.FieldParser;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Writes a request head in HTTP/1.1 form (RFC 9112 section 3). It is the second wall against request splitting: what can't stand in a line is refused, whatever
 * let it in. Not thread-safe; one serves an IO thread.
 */
final class RequestHeadWriter {
    /** Something can't be written as HTTP/1.1. */
    static final class UnwritableException extends RuntimeException {
        private static final long serialVersionUID = 1;

        UnwritableException(String message) {
            super(message, null, false, false);
        }
    }

    private byte[] bytes = new byte[2048];
    private int length;

    RequestHeadWriter start(String method, String target) {
        length = 0;
        if (!FieldParser.isToken(method)) {
            throw new UnwritableException("the method isn't a token");
        }
        bytes(method);
        put(' ');
        if (target.isEmpty()) {
            throw new UnwritableException("there is no request target");
        }
        boolean query = false;
        for (int i = 0; i < target.length(); i++) {
            char c = target.charAt(i);
            query |= c == '?';
            // in a query, bytes above ASCII are what a client means them to be
            boolean isRawByte = query && c > 0x7f && c <= 0xff;
            if (c <= ' ' || (c >= 0x7f && !isRawByte) || c == '#') {
                throw new UnwritableException("the request target has a character that must be percent-encoded");
            }
        }
        bytes(target);
        bytes(" HTTP/1.1\r\n");
        return this;
    }

    /** Adds all values of a field. */
    void fields(HeaderValues values) {
        HttpString name = values.getHeaderName();
        for (int i = 0; i < values.size(); i++) {
            field(name, values.get(i));
        }
    }

    /** Adds a field. */
    void field(HttpString name, String value) {
        room(name.length() + value.length() + 4);
        int nameLength = name.length();
        if (nameLength == 0) {
            throw new UnwritableException("a field has no name");
        }
        for (int i = 0; i < nameLength; i++) {
            byte b = name.byteAt(i);
            if (!FieldParser.isToken(b)) {
                throw new UnwritableException("a field name isn't a token");
            }
            bytes[length++] = b;
        }
        bytes[length++] = ':';
        bytes[length++] = ' ';
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c > 0xff || c == 0x7f || (c < ' ' && c != '\t')) {
                throw new UnwritableException("a field value has a control character");
            }
            bytes[length++] = (byte) c;
        }
        bytes[length++] = '\r';
        bytes[length++] = '\n';
    }

    /** Adds several values of one name, joined as a list. */
    static String joined(HeaderMap fields, HttpString name) {
        HeaderValues values = fields.get(name);
        return values == null ? "" : String.join(", ", values);
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

    /** A byte for each character. */
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
