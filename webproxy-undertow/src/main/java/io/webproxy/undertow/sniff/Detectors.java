package io.webproxy.undertow.sniff;

import io.webproxy.port.BytePattern;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Recognises protocols by the first bytes that their clients send. Each method reads {@code length} bytes from the
 * buffer's position on, by absolute reads. All are total, stateless and bounded.
 */
final class Detectors {
    private static final byte[] SSH_2 = ascii("SSH-2.0-");
    private static final byte[] SSH_1_99 = ascii("SSH-1.99-");

    private static final byte[] VERSION = ascii("HTTP/");
    private static final int LONGEST_METHOD = 20;
    /** The part of a request line that is searched for its version. */
    private static final int MAX_REQUEST_LINE = 1024;

    private static final int SOCKS_VERSION = 5;
    /** "No acceptable method" in answers (RFC 1928 section 3). */
    private static final byte NO_METHOD = (byte) 0xff;

    private static final int HARD_RESET_CLIENT_V2 = 7 << 3;
    private static final int HARD_RESET_CLIENT_V3 = 10 << 3;

    private static final int POSTGRESQL_HEAD = 8;
    private static final int POSTGRESQL_MAX_STARTUP = 10_000;
    private static final int POSTGRESQL_MAX_CANCEL = 12 + 256;
    private static final int CANCEL_REQUEST = 80877102;
    private static final int SSL_REQUEST = 80877103;
    private static final int GSSENC_REQUEST = 80877104;

    private Detectors() {}

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** An identification string (RFC 4253 section 4.2); a client sends no lines before it. */
    static Answer ssh(ByteBuffer bytes, int length) {
        Answer current = starts(bytes, length, 0, SSH_2);
        return current == Answer.NO ? starts(bytes, length, 0, SSH_1_99) : current;
    }

    /** A record with a handshake (RFC 8446 section 5.1), of any minor version. */
    static Answer tls(ByteBuffer bytes, int length) {
        if (length > 0 && at(bytes, 0) != 22) {
            return Answer.NO;
        }
        return length < 2 ? Answer.MORE : Answer.of(at(bytes, 1) == 3);
    }

    /**
     * A request line (RFC 9112 section 3), after up to two bytes of empty lines, or the preface of HTTP/2 (RFC 9113
     * section 3.4), which looks like one.
     *
     * <p>The method is any upper-case token, because new ones appear. Other protocols have words of that form too, so
     * it takes a path to recognise HTTP, or any other target with the HTTP version after it, which RTSP and SIP don't
     * have.
     */
    static Answer http(ByteBuffer bytes, int length) {
        int at = 0;
        while (at < length && at < 2 && (at(bytes, at) == '\r' || at(bytes, at) == '\n')) {
            at++;
        }
        int method = at;
        while (at < length && at - method <= LONGEST_METHOD && isMethod(at(bytes, at), at == method)) {
            at++;
        }
        if (at - method > LONGEST_METHOD) {
            return Answer.NO;
        }
        if (at == length) {
            return Answer.MORE;
        }
        return at == method || at(bytes, at) != ' ' ? Answer.NO : target(bytes, length, at);
    }

    private static boolean isMethod(int b, boolean first) {
        return (b >= 'A' && b <= 'Z') || (b == '-' && !first);
    }

    /** What follows the method, including the space. */
    private static Answer target(ByteBuffer bytes, int length, int space) {
        int end = Math.min(length, MAX_REQUEST_LINE);
        for (int at = space; at < end; at++) {
            int b = at(bytes, at);
            if (b < ' ' || b == 0x7f) {
                return Answer.NO;
            }
            if (b == '/' && at == space + 1) {
                return Answer.MATCH;
            }
            if (b == ' ' && at > space) {
                Answer version = starts(bytes, end, at + 1, VERSION);
                if (version != Answer.NO) {
                    return version == Answer.MORE && length >= MAX_REQUEST_LINE ? Answer.NO : version;
                }
            }
        }
        return length < MAX_REQUEST_LINE ? Answer.MORE : Answer.NO;
    }

    /** A greeting (RFC 1928 section 3), complete: the client waits for the answer to it. */
    static Answer socks5(ByteBuffer bytes, int length) {
        if (length > 0 && at(bytes, 0) != SOCKS_VERSION) {
            return Answer.NO;
        }
        if (length < 2) {
            return Answer.MORE;
        }
        int end = 2 + at(bytes, 1);
        for (int at = 2; at < end && at < length; at++) {
            if ((byte) at(bytes, at) == NO_METHOD) {
                return Answer.NO;
            }
        }
        return end == 2 ? Answer.NO : length < end ? Answer.MORE : Answer.MATCH;
    }

    /**
     * The first packet of a client over TCP: its length in two bytes, and a hard reset with the key 0, of the version
     * that tls-crypt-v2 sends or the usual one. The lengths are those that OpenVPN itself takes where it shares a port.
     */
    static Answer openVpn(ByteBuffer bytes, int length) {
        if (length > 0 && at(bytes, 0) > 4) {
            return Answer.NO;
        }
        if (length < 2) {
            return Answer.MORE;
        }
        int packet = at(bytes, 0) << 8 | at(bytes, 1);
        boolean usual = packet >= 14 && packet <= 255;
        boolean wrapped = packet >= 336 && packet < 1024 + 255;
        if (length == 2) {
            return usual || wrapped ? Answer.MORE : Answer.NO;
        }
        return Answer.of(
                (usual && at(bytes, 2) == HARD_RESET_CLIENT_V2) || (wrapped && at(bytes, 2) == HARD_RESET_CLIENT_V3));
    }

    /**
     * The messages that start a connection (PostgreSQL's documentation, "Message Formats"): their length in four bytes,
     * and a code.
     */
    static Answer postgreSql(ByteBuffer bytes, int length) {
        // no length has more than two bytes other than 0
        for (int at = 0; at < 2 && at < length; at++) {
            if (at(bytes, at) != 0) {
                return Answer.NO;
            }
        }
        if (length < 4) {
            return Answer.MORE;
        }
        int message = number(bytes, 0);
        boolean request = message == 8;
        boolean cancel = message >= 16 && message <= POSTGRESQL_MAX_CANCEL;
        boolean startup = message > POSTGRESQL_HEAD && message <= POSTGRESQL_MAX_STARTUP;
        if (length < POSTGRESQL_HEAD) {
            boolean possible = (request && begins(bytes, length, SSL_REQUEST))
                    || (request && begins(bytes, length, GSSENC_REQUEST))
                    || (cancel && begins(bytes, length, CANCEL_REQUEST))
                    || (startup && begins(bytes, Math.min(length, 6), 3 << 16));
            return possible ? Answer.MORE : Answer.NO;
        }
        int code = number(bytes, 4);
        return Answer.of((request && (code == SSL_REQUEST || code == GSSENC_REQUEST))
                || (cancel && code == CANCEL_REQUEST)
                || (startup && code >>> 16 == 3));
    }

    /** Whether the code of a message may be this one, as far as it has arrived. */
    private static boolean begins(ByteBuffer bytes, int length, int code) {
        for (int at = 4; at < length; at++) {
            if (at(bytes, at) != ((code >>> (8 * (7 - at))) & 0xff)) {
                return false;
            }
        }
        return true;
    }

    /** A complete, valid PROXY header. */
    static Answer proxyHeader(ByteBuffer bytes, int length) {
        if (length > 0 && at(bytes, 0) != 'P' && at(bytes, 0) != '\r') {
            return Answer.NO;
        }
        ProxyHeader header = ProxyHeaderParser.parse(bytes.slice(bytes.position(), length));
        return header == ProxyHeader.Partial.MORE ? Answer.MORE : Answer.of(header instanceof ProxyHeader.Complete);
    }

    /** The bytes of a custom rule; a difference may show before all of them have arrived. */
    static Answer pattern(BytePattern pattern, ByteBuffer bytes, int length) {
        for (int i = 0; i < pattern.length() && pattern.offset() + i < length; i++) {
            if (!pattern.matches(i, (byte) at(bytes, pattern.offset() + i))) {
                return Answer.NO;
            }
        }
        return length < pattern.offset() + pattern.length() ? Answer.MORE : Answer.MATCH;
    }

    private static Answer starts(ByteBuffer bytes, int length, int from, byte[] mark) {
        for (int i = 0; i < mark.length; i++) {
            if (from + i >= length) {
                return Answer.MORE;
            }
            if (at(bytes, from + i) != mark[i]) {
                return Answer.NO;
            }
        }
        return Answer.MATCH;
    }

    private static int number(ByteBuffer bytes, int from) {
        return at(bytes, from) << 24 | at(bytes, from + 1) << 16 | at(bytes, from + 2) << 8 | at(bytes, from + 3);
    }

    private static int at(ByteBuffer bytes, int index) {
        return bytes.get(bytes.position() + index) & 0xff;
    }
}
