package io.webproxy.undertow.sniff;

/** A detector's result for the first bytes of a connection. Only {@link #MORE} may change when more bytes come. */
enum Answer {
    /** The bytes belong to another protocol. */
    NO,
    /** The bytes belong to this protocol. */
    MATCH,
    /** More bytes are needed. */
    MORE;

    static Answer of(boolean match) {
        return match ? MATCH : NO;
    }
}
