package io.webproxy.undertow.http1;

import io.webproxy.undertow.exchange.HeadProblem;

/** The problems that a request head may have. */
final class Problems {
    /** RFC 9112 section 5.2. */
    static final HeadProblem FOLDED = new HeadProblem(400, "A field is folded over several lines.");

    static final HeadProblem MALFORMED = new HeadProblem(400, "The request head is malformed.");
    /** RFC 9112 sections 6.1 and 6.3. */
    static final HeadProblem FRAMING = new HeadProblem(
            400, "The request body must be framed by Content-Length or by chunks, and by one of them only.");

    static final HeadProblem LENGTH = new HeadProblem(400, "Content-Length isn't one number.");
    /** The major version is below 1, or missing. */
    static final HeadProblem OLD_VERSION = new HeadProblem(400, "HTTP/0.9 isn't understood.");

    static final HeadProblem TOO_SLOW = new HeadProblem(408, "The request head didn't come in time.");
    /** RFC 9110 section 15.5.15. */
    static final HeadProblem TARGET_TOO_LONG = new HeadProblem(414, "The request target is too long.");
    /** The whole head, white space included, is above the limit (RFC 6585 section 5). */
    static final HeadProblem TOO_LARGE = new HeadProblem(431, "The request head is too large.");
    /** The major version is above 1 (RFC 9110 section 15.6.6). */
    static final HeadProblem NEW_VERSION =
            new HeadProblem(505, "Only HTTP/1.1 and HTTP/1.0 are understood in a request line.");

    private Problems() {}

    /** RFC 6585 section 5. */
    static HeadProblem tooManyFields(int limit) {
        return new HeadProblem(431, "The request has more than " + limit + " fields.");
    }
}
