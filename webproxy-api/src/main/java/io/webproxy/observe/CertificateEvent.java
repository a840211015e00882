package io.webproxy.observe;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Something has happened to a certificate of the server.
 *
 * @param kind what
 * @param names the DNS names and IP addresses that the certificate is for
 * @param notAfter until when the certificate that is served from now on is valid; empty if there is none
 * @param detail one sentence
 * @param problems what the CA said about single names, or about the whole order under an empty name; empty unless
 *     something failed there
 */
public record CertificateEvent(
        Kind kind, List<String> names, Optional<Instant> notAfter, String detail, List<Problem> problems) {
    /** Copies the lists. */
    public CertificateEvent {
        Objects.requireNonNull(kind, "kind");
        names = List.copyOf(names);
        Objects.requireNonNull(notAfter, "notAfter");
        Objects.requireNonNull(detail, "detail");
        problems = List.copyOf(problems);
    }

    /** What can happen. */
    public enum Kind {
        /** The first certificate for these names is served. */
        OBTAINED,
        /** A newer certificate is served in place of an older one. */
        RENEWED,
        /** Files have changed, and what they hold is served. */
        RELOADED,
        /** An attempt to obtain, renew or reload has failed; what was served is served on. */
        FAILED,
        /** What is served expires soon and could not be renewed so far. */
        EXPIRING,
        /** The CA has been told that a certificate isn't to be trusted any more. */
        REVOKED
    }

    /**
     * A problem document's content (RFC 7807, RFC 8555 section 6.7).
     *
     * @param name the name that it is about; empty for all
     * @param type its type, such as {@code urn:ietf:params:acme:error:dns}
     * @param detail its text
     */
    public record Problem(String name, String type, String detail) {
        /** Nothing is null. */
        public Problem {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(type, "type");
            Objects.requireNonNull(detail, "detail");
        }
    }
}
