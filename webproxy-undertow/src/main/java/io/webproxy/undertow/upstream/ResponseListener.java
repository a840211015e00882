package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderMap;

/** What is heard of a response body on its way from an {@link UpstreamStream}; on its IO thread. */
public interface ResponseListener {
    /** Response-body bytes have come. */
    void responseBytes(long bytes);

    /** The upstream pauses within the body. */
    void responsePaused();

    /** The body is complete; {@code trailers} may be empty. */
    void responseEnded(HeaderMap trailers);

    /** The body broke off; the read that found out throws. */
    void responseBroken(String detail);
}
