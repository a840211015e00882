package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;

/**
 * What an exchange hears from its {@link UpstreamStream} about its request, and until the response head has come; on
 * its IO thread.
 */
public interface UpstreamListener {
    /** The upstream's socket took request-body bytes. */
    void requestBytesTaken(long bytes);

    /** The client's body didn't have the length that it announced; nothing of the request may count as complete. */
    void requestBodyWrong(String problem);

    /** A 1xx head other than 101 has come (RFC 9110 section 15.2). */
    void interim(ParsedHead head);

    /** The final head has come, or a 101; whoever wants the body takes {@link UpstreamStream#responseBody} now. */
    void responded(ParsedHead head);

    /**
     * There will be no head, or the exchange can't go on for a reason of the proxy's own.
     *
     * @param silent whether the upstream closed the connection before any byte of a response
     */
    void failed(ForwardError error, String detail, boolean silent);

    /**
     * There will be no head, and the upstream has said that it has executed nothing of the request (RFC 9113 section
     * 8.7): it may be sent again, whatever its method.
     */
    void refused(String detail);
}
