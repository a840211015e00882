package io.webproxy.spi;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The policy of {@code Strict-Transport-Security}: browsers use only HTTPS for this host (RFC 6797 section 6.1).
 * Immutable.
 */
public final class Hsts {
    private static final Duration YEAR = Duration.ofDays(365);

    private final Duration maxAge;
    private final boolean includeSubDomains;
    private final boolean preload;

    private Hsts(Duration maxAge, boolean includeSubDomains, boolean preload) {
        this.maxAge = Objects.requireNonNull(maxAge, "maxAge");
        this.includeSubDomains = includeSubDomains;
        this.preload = preload;
        if (maxAge.isNegative() || maxAge.compareTo(YEAR.multipliedBy(10)) > 0) {
            throw new IllegalArgumentException("hsts.maxAge: " + maxAge + " (expected: zero to ten years)");
        }
        if (preload && (!includeSubDomains || maxAge.compareTo(YEAR) < 0)) {
            throw new IllegalArgumentException(
                    "hsts.preload: true (expected: includeSubDomains and a maxAge of at least 365 days with it)");
        }
    }

    /**
     * For this host only.
     *
     * @param maxAge how long browsers remember it, up to ten years; zero revokes an earlier policy
     */
    public static Hsts of(Duration maxAge) {
        return new Hsts(maxAge, false, false);
    }

    /** The same, for all subdomains too. */
    public Hsts withSubDomains() {
        return new Hsts(maxAge, true, preload);
    }

    /**
     * The same, and browsers may preload it.
     *
     * @throws IllegalArgumentException unless it {@linkplain #withSubDomains() includes subdomains}, and lasts at least
     *     365 days
     */
    public Hsts withPreload() {
        return new Hsts(maxAge, includeSubDomains, true);
    }

    /** How long browsers remember it; zero revokes an earlier policy. */
    public Duration maxAge() {
        return maxAge;
    }

    /** Whether it applies to all subdomains too. */
    public boolean includeSubDomains() {
        return includeSubDomains;
    }

    /** Whether browsers may preload it. */
    public boolean preload() {
        return preload;
    }

    /** The field's value. */
    public String value() {
        return "max-age=" + maxAge.toSeconds() + (includeSubDomains ? "; includeSubDomains" : "")
                + (preload ? "; preload" : "");
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Hsts hsts
                && maxAge.equals(hsts.maxAge)
                && includeSubDomains == hsts.includeSubDomains
                && preload == hsts.preload;
    }

    @Override
    public int hashCode() {
        return Objects.hash(maxAge, includeSubDomains, preload);
    }

    @Override
    public String toString() {
        return "Hsts[" + value() + "]";
    }
}
