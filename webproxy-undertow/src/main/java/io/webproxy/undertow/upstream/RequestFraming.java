package io.webproxy.undertow.upstream;

/**
 * How a request body is framed on the upstream connection.
 *
 * @param length bytes, {@link #NONE} or {@link #CHUNKED}
 */
public record RequestFraming(long length) {
    /** No body. */
    public static final RequestFraming NONE = new RequestFraming(0);
    /** Chunked, for a body of unknown length. */
    public static final RequestFraming CHUNKED = new RequestFraming(-1);

    /** A body of this many bytes. */
    public static RequestFraming ofLength(long bytes) {
        return bytes == 0 ? NONE : new RequestFraming(bytes);
    }

    /** Whether there is no body. */
    public boolean isNone() {
        return length == 0;
    }

    /** Whether the length is unknown. */
    public boolean isChunked() {
        return length < 0;
    }
}
