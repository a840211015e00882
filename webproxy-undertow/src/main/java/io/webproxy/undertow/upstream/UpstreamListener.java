package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;

/** Hears the events of an exchange on its {@link UpstreamStream}, up to the response head, on its IO thread. */
public interface UpstreamListener {
    /** The upstream's socket has taken bytes of the request body. */
    void requestBytesTaken(long bytes);

    /** The client's body didn't have the announced length; the upstream must not take the request for complete. */
    void requestBodyWrong(String problem);

    /** A 1xx head other than 101 has arrived (RFC 9110 section 15.2). */
    void interim(ParsedHead head);

    /** The final head, or a 101, has arrived; to read the body call {@link UpstreamStream#responseBody} now. */
    void responded(ParsedHead head);

    /**
     * There will be no head, or the proxy itself can't continue the exchange.
     *
     * @param silent whether the upstream closed the connection before any byte of a response
     */
    void failed(ForwardError error, String detail, boolean silent);

    /**
     * There will be no head, and the upstream has said that it executed nothing of the request (RFC 9113 section 8.7):
     * it may be retried, whatever its method.
     */
    void refused(String detail);
}
