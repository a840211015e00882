package io.webproxy.acme.renewal;

import io.webproxy.acme.certificate.StoredCertificate;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides when to renew a certificate, and when to retry after a failure. Pure: the same input gives the same answer.
 *
 * <p>Random points are derived from the certificate: so they are stable across restarts, and servers with different
 * certificates don't ask at the same moment.
 */
final class RenewalSchedule {
    /** The longest {@code Retry-After} of a CA that is believed. */
    static final Duration LONGEST_WAIT = Duration.ofDays(7);

    private static final List<Duration> WAITS = Stream.of(1, 2, 2, 5, 10, 20, 20, 30, 60, 60, 120, 180, 360)
            .map(Duration::ofMinutes)
            .toList();
    /** How many times the longest wait fits into 30 days. */
    private static final int LAST_WAITS = 120;

    private static final Duration DAILY = Duration.ofDays(1);
    private static final Duration SOONEST = Duration.ofHours(6);
    private static final int FRACTION_BITS = 53;

    private RenewalSchedule() {}

    /** How close a certificate is to its end. */
    enum Urgency {
        /** More than a sixth of its lifetime is left: half of the time for renewal. */
        NONE,
        /** Less than a sixth is left. */
        SOON,
        /** Less than a twentieth is left. */
        NOW,
        /** It has expired. */
        EXPIRED
    }

    /**
     * When a certificate is renewed: at a random point of the CA's window if it has suggested one (RFC 9773 section
     * 4.2), else when between 2/3 and 43/60 of its lifetime are over. Whatever the CA suggests, a certificate is
     * renewed before the last twentieth of its lifetime, and not within the first, at most 6 h: so a CA whose windows
     * always lie in the past isn't asked endlessly.
     *
     * <p>The lifetime counts from the time when the certificate was issued, not from its {@code notBefore}, which CAs
     * set earlier: for a very short lifetime that would be most of it.
     */
    static Instant renewAt(StoredCertificate certificate, @Nullable Suggestion suggestion) {
        X509Certificate leaf = certificate.material().leaf();
        Instant begin = begin(certificate);
        Instant end = certificate.material().notAfter();
        Duration lifetime = Duration.between(begin, end);
        if (suggestion == null || !suggestion.isFor(leaf) || !suggestion.isWindow()) {
            Duration jitter = part(lifetime.dividedBy(20), fraction(leaf, ""));
            return begin.plus(lifetime.multipliedBy(2).dividedBy(3)).plus(jitter);
        }
        Duration window = Duration.between(suggestion.start(), suggestion.end());
        Instant point =
                suggestion.start().plus(part(window, fraction(leaf, suggestion.start() + " " + suggestion.end())));
        Duration twentieth = lifetime.dividedBy(20);
        Instant earliest = begin.plus(twentieth.compareTo(SOONEST) < 0 ? twentieth : SOONEST);
        Instant latest = end.minus(twentieth);
        return point.isBefore(earliest) ? earliest : point.isAfter(latest) ? latest : point;
    }

    private static Instant begin(StoredCertificate certificate) {
        Instant notBefore = certificate.material().leaf().getNotBefore().toInstant();
        Instant obtained = certificate.obtainedAt();
        boolean plausible = obtained.isAfter(notBefore)
                && obtained.isBefore(certificate.material().notAfter());
        return plausible ? obtained : notBefore;
    }

    static Urgency urgency(StoredCertificate certificate, Instant now) {
        Instant end = certificate.material().notAfter();
        Duration lifetime = Duration.between(begin(certificate), end);
        Duration left = Duration.between(now, end);
        if (left.isNegative() || left.isZero()) {
            return Urgency.EXPIRED;
        }
        if (left.compareTo(lifetime.dividedBy(20)) < 0) {
            return Urgency.NOW;
        }
        return left.compareTo(lifetime.dividedBy(6)) < 0 ? Urgency.SOON : Urgency.NONE;
    }

    /**
     * How long to wait after failures: 1 min after the first, then longer up to 6 h, for 30 days; then a day. Up to a
     * quarter is added at random. The CA's {@code Retry-After} is the minimum, up to 7 days.
     *
     * @param failures how many attempts have failed in a row, at least one
     * @param retryAfter the CA's {@code Retry-After}; null if it gave none
     * @param random from 0 to 1
     */
    static Duration wait(int failures, @Nullable Duration retryAfter, double random) {
        Duration wait = failures > WAITS.size() + LAST_WAITS ? DAILY : WAITS.get(Math.min(failures, WAITS.size()) - 1);
        wait = wait.plus(part(wait.dividedBy(4), random));
        if (retryAfter == null || retryAfter.compareTo(wait) <= 0) {
            return wait;
        }
        return retryAfter.compareTo(LONGEST_WAIT) < 0 ? retryAfter : LONGEST_WAIT;
    }

    private static Duration part(Duration whole, double fraction) {
        return Duration.ofMillis((long) (whole.toMillis() * fraction));
    }

    /** A number from 0 to 1 that is always the same for a certificate and a purpose. */
    private static double fraction(X509Certificate certificate, String purpose) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(certificate.getSignature());
            byte[] hash = digest.digest(purpose.getBytes(StandardCharsets.UTF_8));
            long bits = 0;
            for (int i = 0; i < Long.BYTES; i++) {
                bits = bits << Byte.SIZE | (hash[i] & 0xff);
            }
            return (bits >>> (Long.SIZE - FRACTION_BITS)) * 0x1.0p-53;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
