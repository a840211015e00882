package io.webproxy.undertow.message;

/** How a lenient upstream's HTTP/1.1 response may break RFC 9112; it is put right before it is forwarded. */
public enum Deviation {
    /** Section 2.2. */
    BARE_LF("lines that end with LF alone"),
    /** Section 5.2. */
    FOLDED_FIELD("folded fields"),
    /** Section 6.1: the chunks count. */
    LENGTH_BESIDE_CHUNKS("Content-Length beside Transfer-Encoding"),
    /** Section 6.1. */
    CHUNKS_OF_HTTP_1_0("chunks with HTTP/1.0"),
    /** Section 6.3: a list of equal numbers. */
    REPEATED_LENGTH("a repeated Content-Length"),
    /** Section 7.1: up to 16 spaces or tabs. */
    PADDED_CHUNK_SIZE("white space after a chunk size"),
    /** RFC 9110 section 15: 600 to 999. */
    STATUS_ABOVE_599("a status above 599");

    private final String text;

    Deviation(String text) {
        this.text = text;
    }

    /** What it is, as in logs. */
    @Override
    public String toString() {
        return text;
    }
}
