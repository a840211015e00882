package io.webproxy.undertow.tls.engine;

import java.nio.ByteBuffer;

/**
 * Finds out whether a server's handshake resumes a session, which no TLS implementation tells: by the cleartext part of
 * its first flight.
 *
 * <p>In TLS 1.3 the ServerHello of a resumption selects a pre-shared key (RFC 8446 section 4.2.11). In TLS 1.2 its
 * ServerHello is followed by NewSessionTicket or ChangeCipherSpec (RFC 5246 section 7.3, RFC 5077 section 3.1), that of
 * a full handshake by Certificate.
 *
 * <p>Total, and bounded: it reads until it knows. A flight that it can't read counts as a full handshake, such as one
 * whose ServerHello is in several records, because the client takes small ones only. Not thread-safe.
 */
final class ServerFlight {
    private static final int CHANGE_CIPHER_SPEC = 20;
    private static final int HANDSHAKE = 22;
    private static final int SERVER_HELLO = 2;
    private static final int NEW_SESSION_TICKET = 4;
    private static final int PRE_SHARED_KEY = 41;
    private static final int SUPPORTED_VERSIONS = 43;
    private static final int TLS_1_3 = 0x0304;
    private static final int RECORD_HEADER = 5;
    private static final int MESSAGE_HEADER = 4;
    private static final int VERSION_AND_RANDOM = 34;

    /**
     * The start of the random of a HelloRetryRequest, after which another ServerHello comes (RFC 8446 section 4.1.3).
     */
    private static final int[] RETRY = {0xcf21, 0xad74, 0xe59a, 0x6111, 0xbe1d, 0x8c02};

    private boolean known;
    private boolean resumed;
    /** A ServerHello of TLS 1.2 or earlier was read. */
    private boolean greeted;

    /** Reads whole records, from one index of a buffer to another. Returns whether no more are needed. */
    boolean read(ByteBuffer records, int from, int to) {
        int at = from;
        while (!known && at + RECORD_HEADER <= to) {
            int end = at + RECORD_HEADER + u16(records, at + 3);
            int type = u8(records, at);
            if (end > to) {
                decide(false);
            } else if (type == HANDSHAKE) {
                messages(records, at + RECORD_HEADER, end);
            } else if (type != CHANGE_CIPHER_SPEC || greeted) {
                decide(type == CHANGE_CIPHER_SPEC);
            }
            at = end;
        }
        return known;
    }

    /** Whether it resumes a session; false before that is known. */
    boolean isResumed() {
        return resumed;
    }

    private void decide(boolean resumes) {
        known = true;
        resumed = resumes;
    }

    private void messages(ByteBuffer records, int from, int to) {
        int at = from;
        while (!known && at + MESSAGE_HEADER <= to) {
            int type = u8(records, at);
            int end = at + MESSAGE_HEADER + (u8(records, at + 1) << 16 | u16(records, at + 2));
            if (greeted || type != SERVER_HELLO || end > to) {
                decide(greeted && type == NEW_SESSION_TICKET);
            } else {
                hello(records, at + MESSAGE_HEADER, end);
            }
            at = end;
        }
    }

    private void hello(ByteBuffer records, int from, int to) {
        int at = from + VERSION_AND_RANDOM;
        if (at >= to || isRetry(records, from + 2)) {
            return;
        }
        // session id, cipher suite, compression method, length of the extensions
        at += 1 + u8(records, at) + 5;
        boolean modern = false;
        boolean preShared = false;
        while (at + MESSAGE_HEADER <= to) {
            int type = u16(records, at);
            int length = u16(records, at + 2);
            at += MESSAGE_HEADER;
            modern |= type == SUPPORTED_VERSIONS && at + 2 <= to && u16(records, at) == TLS_1_3;
            preShared |= type == PRE_SHARED_KEY;
            at += length;
        }
        if (modern) {
            decide(preShared);
        } else {
            greeted = true;
        }
    }

    private static boolean isRetry(ByteBuffer records, int random) {
        for (int i = 0; i < RETRY.length; i++) {
            if (u16(records, random + 2 * i) != RETRY[i]) {
                return false;
            }
        }
        return true;
    }

    private static int u8(ByteBuffer bytes, int at) {
        return bytes.get(at) & 0xff;
    }

    private static int u16(ByteBuffer bytes, int at) {
        return u8(bytes, at) << 8 | u8(bytes, at + 1);
    }
}
