package io.webproxy.acme.renewal;

import io.webproxy.acme.order.Issuer;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;

/**
 * The CA's suggestion of when to renew a certificate (RFC 9773 section 4.2), or that it has none.
 *
 * @param serial of the certificate
 * @param start the start of the window; {@code end} or later if the CA has suggested none
 * @param asked when it was asked
 * @param askAgain when to ask again
 */
record Suggestion(BigInteger serial, Instant start, Instant end, Instant asked, Instant askAgain) {
    private static final Duration SOONEST = Duration.ofMinutes(1);
    private static final Duration LATEST = Duration.ofDays(1);

    /** A new suggestion; the next request follows in 1 min to 1 day (RFC 9773 section 4.3.2). */
    static Suggestion of(X509Certificate certificate, Issuer.RenewalWindow window, Instant now) {
        Duration wait = window.askAgain();
        wait = wait.compareTo(SOONEST) < 0 ? SOONEST : wait.compareTo(LATEST) > 0 ? LATEST : wait;
        return new Suggestion(certificate.getSerialNumber(), window.start(), window.end(), now, now.plus(wait));
    }

    /** No suggestion. */
    static Suggestion none(X509Certificate certificate, Instant now, Duration askAgain) {
        return of(certificate, new Issuer.RenewalWindow(Instant.EPOCH, Instant.EPOCH, askAgain), now);
    }

    /** A copy with a later next request. */
    Suggestion later(Instant now, Duration askAgain) {
        return new Suggestion(serial, start, end, now, now.plus(askAgain));
    }

    boolean isFor(X509Certificate certificate) {
        return serial.equals(certificate.getSerialNumber());
    }

    boolean isWindow() {
        return start.isBefore(end);
    }

    /** Whether to ask again; also true if the clock was set back since. */
    boolean isOld(Instant now) {
        return !now.isBefore(askAgain) || now.isBefore(asked);
    }
}
