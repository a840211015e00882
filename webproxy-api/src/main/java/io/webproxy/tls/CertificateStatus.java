package io.webproxy.tls;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A certificate that is served or wanted, at one moment.
 *
 * @param names the DNS names and IP addresses that it is for
 * @param issuer the distinguished name of who issued what is served; empty while there is none
 * @param notAfter until when that is valid; empty while there is none
 * @param nextAttempt when it is obtained or renewed next; empty if nobody does
 * @param lastError why the last attempt failed, one sentence; empty if it didn't
 */
public record CertificateStatus(
        List<String> names,
        Optional<String> issuer,
        Optional<Instant> notAfter,
        Optional<Instant> nextAttempt,
        Optional<String> lastError) {
    /** Copies the names. */
    public CertificateStatus {
        names = List.copyOf(names);
        Objects.requireNonNull(issuer, "issuer");
        Objects.requireNonNull(notAfter, "notAfter");
        Objects.requireNonNull(nextAttempt, "nextAttempt");
        Objects.requireNonNull(lastError, "lastError");
    }
}
