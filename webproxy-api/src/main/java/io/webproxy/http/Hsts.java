package io.webproxy.http;

import java.time.Duration;
import java.util.Objects;

/**
 * What {@code Strict-Transport-Security} says to browsers (RFC 6797 section 6.1): ask for this host over HTTPS only.
 * Immutable.
 *
 * @param maxAge how long they keep to it, up to ten years; zero takes back what was said before
 * @param includeSubDomains whether it holds for all names below, too
 * @param preload whether the host may be built into browsers; needs {@code includeSubDomains} and a year at least
 */
public record Hsts(Duration maxAge, boolean includeSubDomains, boolean preload) {
    private static final Duration YEAR = Duration.ofDays(365);

    /** Checks every value. */
    public Hsts {
        Objects.requireNonNull(maxAge, "maxAge");
        if (maxAge.isNegative() || maxAge.compareTo(YEAR.multipliedBy(10)) > 0) {
            throw new IllegalArgumentException("hsts.maxAge: " + maxAge + " (expected: zero to ten years)");
        }
        if (preload && (!includeSubDomains || maxAge.compareTo(YEAR) < 0)) {
            throw new IllegalArgumentException(
                    "hsts.preload: true (expected: includeSubDomains and a maxAge of at least 365 days with it)");
        }
    }

    /** For so long, for this host only. */
    public static Hsts of(Duration maxAge) {
        return new Hsts(maxAge, false, false);
    }

    /** The same for all names below, too. */
    public Hsts withSubDomains() {
        return new Hsts(maxAge, true, preload);
    }

    /** The same, and browsers may build it in. */
    public Hsts withPreload() {
        return new Hsts(maxAge, includeSubDomains, true);
    }

    /** The field's value. */
    public String value() {
        return "max-age=" + maxAge.toSeconds() + (includeSubDomains ? "; includeSubDomains" : "")
                + (preload ? "; preload" : "");
    }
}
