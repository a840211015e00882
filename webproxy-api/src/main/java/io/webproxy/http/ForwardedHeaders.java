package io.webproxy.http;

/**
 * Which fields tell the upstream about the client: {@code X-Forwarded-For}, {@code -Proto}, {@code -Host},
 * {@code -Port}, {@code -Prefix} and {@code X-Real-IP}, and {@code Forwarded} (RFC 7239). Immutable.
 *
 * <p>A family that isn't written is removed from requests, so that clients can't forge it. Only a trusted proxy's
 * passes, unchanged; so such a proxy must drop these fields of its own clients. {@code X-Request-Id} isn't one of these
 * fields.
 */
public final class ForwardedHeaders {
    private static final ForwardedHeaders ALL = new ForwardedHeaders("all", true, true);
    private static final ForwardedHeaders X_FORWARDED = new ForwardedHeaders("x-forwarded", true, false);
    private static final ForwardedHeaders NONE = new ForwardedHeaders("none", false, false);

    private final String name;
    private final boolean xForwarded;
    private final boolean forwarded;

    private ForwardedHeaders(String name, boolean xForwarded, boolean forwarded) {
        this.name = name;
        this.xForwarded = xForwarded;
        this.forwarded = forwarded;
    }

    /** Both families, with the same content: the default. */
    public static ForwardedHeaders all() {
        return ALL;
    }

    /** {@code X-Forwarded-*} and {@code X-Real-IP} only, for upstreams that misread {@code Forwarded}. */
    public static ForwardedHeaders xForwarded() {
        return X_FORWARDED;
    }

    /**
     * Neither, for upstreams that refuse requests with such fields. They see the proxy's address as the client's: what
     * they restrict to local addresses is then open to every client that may use the proxy.
     */
    public static ForwardedHeaders none() {
        return NONE;
    }

    /** Whether {@code X-Forwarded-*} and {@code X-Real-IP} are written. */
    public boolean hasXForwarded() {
        return xForwarded;
    }

    /** Whether {@code Forwarded} is written. */
    public boolean hasForwarded() {
        return forwarded;
    }

    @Override
    public String toString() {
        return name;
    }
}
