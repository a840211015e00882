package io.webproxy.undertow.upstream;

/**
 * How a request body is framed on the upstream connection.
 *
 * @param length bytes, {@link #NONE} or {@link #CHUNKED}
 */
public record RequestFraming(long length) {
    /** No body. */
    public static final RequestFraming NONE = new RequestFraming(0);
    /** Chunks, for a body whose length isn't known before. */
    public static final RequestFraming CHUNKED = new RequestFraming(-1);

    /** A body of this many bytes. */
    public static RequestFraming ofLength(long bytes) {
        return bytes == 0 ? NONE : new RequestFraming(bytes);
    }

    /** Whether there is no body. */
    public boolean isNone() {
        return length == 0;
    }

    /** Whether the length isn't known before. */
    public boolean isChunked() {
        return length < 0;
    }
}
