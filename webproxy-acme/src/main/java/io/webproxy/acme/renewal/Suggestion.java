package io.webproxy.acme.renewal;

import io.webproxy.acme.order.Issuer;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;

/**
 * What the CA has said about when to renew a certificate (RFC 9773 section 4.2), or that it has no word on it.
 *
 * @param serial the certificate's
 * @param start the begin of the window; that of {@code end} or later if the CA has suggested none
 * @param asked when it has said so
 * @param askAgain when it is worth asking again
 */
record Suggestion(BigInteger serial, Instant start, Instant end, Instant asked, Instant askAgain) {
    private static final Duration SOONEST = Duration.ofMinutes(1);
    private static final Duration LATEST = Duration.ofDays(1);

    /** What it says now; asks again in 1 min to 1 day (RFC 9773 section 4.3.2). */
    static Suggestion of(X509Certificate certificate, Issuer.RenewalWindow window, Instant now) {
        Duration wait = window.askAgain();
        wait = wait.compareTo(SOONEST) < 0 ? SOONEST : wait.compareTo(LATEST) > 0 ? LATEST : wait;
        return new Suggestion(certificate.getSerialNumber(), window.start(), window.end(), now, now.plus(wait));
    }

    /** It says nothing. */
    static Suggestion none(X509Certificate certificate, Instant now, Duration askAgain) {
        return of(certificate, new Issuer.RenewalWindow(Instant.EPOCH, Instant.EPOCH, askAgain), now);
    }

    /** The same, asked again later. */
    Suggestion later(Instant now, Duration askAgain) {
        return new Suggestion(serial, start, end, now, now.plus(askAgain));
    }

    boolean isFor(X509Certificate certificate) {
        return serial.equals(certificate.getSerialNumber());
    }

    boolean isWindow() {
        return start.isBefore(end);
    }

    /** Whether to ask again; also if the clock has gone back since. */
    boolean isOld(Instant now) {
        return !now.isBefore(askAgain) || now.isBefore(asked);
    }
}
