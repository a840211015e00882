package io.webproxy.undertow.sniff;

import java.nio.ByteBuffer;

/** Tells protocols apart by the first bytes of a connection. Pure and total; reads without consuming. */
public final class ProtocolSniffer {
    /** What the bytes begin. */
    public enum Protocol {
        /** A TLS record with a handshake (RFC 8446 section 5.1). */
        TLS,
        /** A request line in clear (RFC 9112 section 3). */
        HTTP,
        /** Neither. */
        UNKNOWN,
        /** More bytes are needed. */
        UNDECIDED
    }

    private static final int HANDSHAKE = 22;
    private static final int LONGEST_METHOD = 20;

    private ProtocolSniffer() {}

    /** Decides from the bytes between position and limit. */
    public static Protocol sniff(ByteBuffer bytes) {
        int start = bytes.position();
        int length = bytes.remaining();
        if (length == 0) {
            return Protocol.UNDECIDED;
        }
        if (bytes.get(start) == HANDSHAKE) {
            if (length == 1) {
                return Protocol.UNDECIDED;
            }
            return bytes.get(start + 1) == 3 ? Protocol.TLS : Protocol.UNKNOWN;
        }
        int at = 0;
        while (at < length && at < 2 && (bytes.get(start + at) == '\r' || bytes.get(start + at) == '\n')) {
            at++;
        }
        int method = at;
        while (at < length && isUpperCase(bytes.get(start + at))) {
            at++;
        }
        if (at - method > LONGEST_METHOD) {
            return Protocol.UNKNOWN;
        }
        if (at == length) {
            return Protocol.UNDECIDED;
        }
        return at > method && bytes.get(start + at) == ' ' ? Protocol.HTTP : Protocol.UNKNOWN;
    }

    private static boolean isUpperCase(byte b) {
        return b >= 'A' && b <= 'Z';
    }
}
