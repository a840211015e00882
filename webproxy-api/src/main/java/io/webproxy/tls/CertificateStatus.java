package io.webproxy.tls;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The status of a certificate that is served or wanted. Immutable. */
public final class CertificateStatus {
    private final List<String> names;
    private final @Nullable String issuer;
    private final @Nullable Instant notAfter;
    private final @Nullable Instant nextAttempt;
    private final @Nullable String lastError;

    private CertificateStatus(
            List<String> names,
            @Nullable String issuer,
            @Nullable Instant notAfter,
            @Nullable Instant nextAttempt,
            @Nullable String lastError) {
        this.names = List.copyOf(Objects.requireNonNull(names, "names"));
        this.issuer = issuer;
        this.notAfter = notAfter;
        this.nextAttempt = nextAttempt;
        this.lastError = lastError;
    }

    /**
     * A certificate that is wanted: nothing is served, no attempt is planned and none has failed.
     *
     * @param names the DNS names and IP addresses that it is for
     */
    public static CertificateStatus of(List<String> names) {
        return new CertificateStatus(names, null, null, null, null);
    }

    /** The same with the distinguished name of the served certificate's issuer. */
    public CertificateStatus withIssuer(String name) {
        return new CertificateStatus(names, Objects.requireNonNull(name, "issuer"), notAfter, nextAttempt, lastError);
    }

    /** The same with the end of the served certificate's validity. */
    public CertificateStatus withNotAfter(Instant end) {
        return new CertificateStatus(names, issuer, Objects.requireNonNull(end, "notAfter"), nextAttempt, lastError);
    }

    /** The same with the time of the next attempt to obtain or renew it. */
    public CertificateStatus withNextAttempt(Instant time) {
        return new CertificateStatus(names, issuer, notAfter, Objects.requireNonNull(time, "nextAttempt"), lastError);
    }

    /** The same with the reason of the last failed attempt, one sentence. */
    public CertificateStatus withLastError(String sentence) {
        return new CertificateStatus(
                names, issuer, notAfter, nextAttempt, Objects.requireNonNull(sentence, "lastError"));
    }

    /** The DNS names and IP addresses that it is for. */
    public List<String> names() {
        return names;
    }

    /** The distinguished name of the served certificate's issuer; empty if none is served. */
    public Optional<String> issuer() {
        return Optional.ofNullable(issuer);
    }

    /** Until when the served certificate is valid; empty if none is served. */
    public Optional<Instant> notAfter() {
        return Optional.ofNullable(notAfter);
    }

    /** When it is next obtained or renewed; empty if the proxy doesn't do that. */
    public Optional<Instant> nextAttempt() {
        return Optional.ofNullable(nextAttempt);
    }

    /** Why the last attempt failed, one sentence; empty if it succeeded. */
    public Optional<String> lastError() {
        return Optional.ofNullable(lastError);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CertificateStatus status
                && names.equals(status.names)
                && Objects.equals(issuer, status.issuer)
                && Objects.equals(notAfter, status.notAfter)
                && Objects.equals(nextAttempt, status.nextAttempt)
                && Objects.equals(lastError, status.lastError);
    }

    @Override
    public int hashCode() {
        return Objects.hash(names, issuer, notAfter, nextAttempt, lastError);
    }

    @Override
    public String toString() {
        return "CertificateStatus[names=" + names + ", issuer=" + issuer() + ", notAfter=" + notAfter()
                + ", nextAttempt=" + nextAttempt() + ", lastError=" + lastError() + "]";
    }
}
