package io.webproxy.undertow.exchange;

/**
 * Why an HTTP/1.1 request is refused before it is looked at.
 *
 * @param status what it is answered
 * @param detail one sentence for the client
 */
public record HeadProblem(int status, String detail) {
    /** A line that starts with white space goes on from the one before it (RFC 9112 section 5.2). */
    static final HeadProblem FOLDED = new HeadProblem(400, "A field is folded over several lines.");
    /** Nothing that the parser takes. */
    static final HeadProblem MALFORMED = new HeadProblem(400, "The request head is malformed.");
    /** RFC 9112 section 3.2. */
    static final HeadProblem HOST =
            new HeadProblem(400, "The request has no valid Host, or its target names another host.");
    /** Its major version is below 1. */
    static final HeadProblem OLD_VERSION = new HeadProblem(400, "HTTP/0.9 isn't understood.");
    /** RFC 9110 section 15.5.15. */
    static final HeadProblem TARGET_TOO_LONG = new HeadProblem(414, "The request target is too long.");
    /** All of it, white space included, is above the limit (RFC 6585 section 5). */
    static final HeadProblem TOO_LARGE = new HeadProblem(431, "The request head is too large.");
    /** More than Undertow can hold. */
    static final HeadProblem TOO_MANY_OF_ONE_NAME =
            new HeadProblem(431, "The request has too many fields of one name.");
    /** Its major version is above 1 (RFC 9110 section 15.6.6). */
    static final HeadProblem NEW_VERSION =
            new HeadProblem(505, "Only HTTP/1.1 and HTTP/1.0 are understood in a request line.");
}
