package io.webproxy.spi;

import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The {@code Host} that is sent to the upstream; {@code X-Forwarded-Host} always has the client's. Immutable. */
public final class HostHeader {
    private static final HostHeader CLIENT = new HostHeader("client", null);
    private static final HostHeader UPSTREAM = new HostHeader("upstream", null);
    private static final Pattern AUTHORITY =
            Pattern.compile("([A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}])(:[0-9]{1,5})?");

    private final String kind;
    private final @Nullable String authority;

    private HostHeader(String kind, @Nullable String authority) {
        this.kind = kind;
        this.authority = authority;
    }

    /** The client's {@code Host}: the default. */
    public static HostHeader ofClient() {
        return CLIENT;
    }

    /** The upstream's own host, with its port unless that is the scheme's. */
    public static HostHeader ofUpstream() {
        return UPSTREAM;
    }

    /**
     * A fixed one.
     *
     * @param authority {@code host} or {@code host:port}
     * @throws IllegalArgumentException if it is neither
     */
    public static HostHeader fixed(String authority) {
        if (!AUTHORITY.matcher(Objects.requireNonNull(authority, "authority")).matches()) {
            throw new IllegalArgumentException("hostHeader: " + authority + " (expected: host or host:port)");
        }
        return new HostHeader("fixed", authority);
    }

    /** Whether it is the client's. */
    @SuppressWarnings("ReferenceEquality") // there is one of it
    public boolean isClient() {
        return this == CLIENT;
    }

    /** The fixed one; empty for the client's and the upstream's. */
    public Optional<String> authority() {
        return Optional.ofNullable(authority);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HostHeader that && kind.equals(that.kind) && Objects.equals(authority, that.authority);
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, authority);
    }

    @Override
    public String toString() {
        return authority == null ? kind : authority;
    }
}
