package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderMap;

/** Hears the events of a response body from an {@link UpstreamStream}, on its IO thread. */
public interface ResponseListener {
    /** Bytes of the response body have arrived. */
    void responseBytes(long bytes);

    /** The upstream pauses within the body. */
    void responsePaused();

    /** The body is complete; {@code trailers} may be empty. */
    void responseEnded(HeaderMap trailers);

    /** The body was cut off; the read that noticed it throws. */
    void responseBroken(String detail);
}
