package io.webproxy.undertow.sniff;

/** Alert codes for a malformed ClientHello (RFC 8446 section 6). */
final class Alerts {
    static final int UNEXPECTED_MESSAGE = 10;
    static final int RECORD_OVERFLOW = 22;
    static final int ILLEGAL_PARAMETER = 47;
    static final int DECODE_ERROR = 50;
    static final int PROTOCOL_VERSION = 70;

    private Alerts() {}
}
