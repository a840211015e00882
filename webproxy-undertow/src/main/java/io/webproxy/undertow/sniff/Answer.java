package io.webproxy.undertow.sniff;

/** What a detector says about the first bytes of a connection. Only {@link #MORE} may change when more bytes come. */
enum Answer {
    /** They are another protocol's. */
    NO,
    /** They are this protocol's. */
    MATCH,
    /** They may be either. */
    MORE;

    static Answer of(boolean match) {
        return match ? MATCH : NO;
    }
}
