package io.webproxy.undertow.exchange;

/** What is wrong with an HTTP/1.1 request head that Undertow's parser would take. */
public enum HeadProblem {
    /** A line that starts with white space goes on from the one before it (RFC 9112 section 5.2). */
    FOLDED(400, "A field is folded over several lines."),
    /** A CR without LF in front of the request line. */
    MALFORMED(400, "The request line is malformed."),
    /** Its major version is below 1. */
    OLD_VERSION(400, "HTTP/0.9 isn't understood."),
    /** All of it, white space included, is above the limit (RFC 6585 section 5). */
    TOO_LARGE(431, "The request head is too large."),
    /** Its major version is above 1 (RFC 9110 section 15.6.6). */
    NEW_VERSION(505, "Only HTTP/1.1 and HTTP/1.0 are understood in a request line.");

    private final int status;
    private final String detail;

    HeadProblem(int status, String detail) {
        this.status = status;
        this.detail = detail;
    }

    /** What it is answered. */
    public int status() {
        return status;
    }

    /** One sentence for the client. */
    public String detail() {
        return detail;
    }
}
