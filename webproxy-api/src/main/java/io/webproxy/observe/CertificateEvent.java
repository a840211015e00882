package io.webproxy.observe;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An event of a server's certificate; the method of {@link ProxyObserver} says what has happened. Immutable. */
public final class CertificateEvent {
    private final List<String> names;
    private final @Nullable Instant notAfter;
    private final String detail;
    private final List<Problem> problems;

    private CertificateEvent(List<String> names, @Nullable Instant notAfter, String detail, List<Problem> problems) {
        this.names = List.copyOf(Objects.requireNonNull(names, "names"));
        this.notAfter = notAfter;
        this.detail = Objects.requireNonNull(detail, "detail");
        this.problems = List.copyOf(Objects.requireNonNull(problems, "problems"));
    }

    /**
     * An event without an end of validity and without problems.
     *
     * @param names the DNS names and IP addresses that the certificate is for
     * @param detail one sentence
     */
    public static CertificateEvent of(List<String> names, String detail) {
        return new CertificateEvent(names, null, detail, List.of());
    }

    /** The same with another end of what is served from now on. */
    public CertificateEvent withNotAfter(Instant end) {
        return new CertificateEvent(names, Objects.requireNonNull(end, "notAfter"), detail, problems);
    }

    /** The same with other problems. */
    public CertificateEvent withProblems(List<Problem> others) {
        return new CertificateEvent(names, notAfter, detail, others);
    }

    /** The DNS names and IP addresses that the certificate is for. */
    public List<String> names() {
        return names;
    }

    /** Until when the certificate that is served from now on is valid; empty if there is none. */
    public Optional<Instant> notAfter() {
        return Optional.ofNullable(notAfter);
    }

    /** One sentence. */
    public String detail() {
        return detail;
    }

    /**
     * The CA's problems with single names, or with the whole order under an empty name; empty unless the CA reported a
     * failure.
     */
    public List<Problem> problems() {
        return problems;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CertificateEvent event
                && names.equals(event.names)
                && Objects.equals(notAfter, event.notAfter)
                && detail.equals(event.detail)
                && problems.equals(event.problems);
    }

    @Override
    public int hashCode() {
        return Objects.hash(names, notAfter, detail, problems);
    }

    @Override
    public String toString() {
        return "CertificateEvent[names=" + names + ", notAfter=" + notAfter() + ", detail=" + detail + ", problems="
                + problems + "]";
    }

    /** A problem document's content (RFC 7807, RFC 8555 section 6.7). Immutable. */
    public static final class Problem {
        private final String name;
        private final String type;
        private final String detail;

        private Problem(String name, String type, String detail) {
            this.name = Objects.requireNonNull(name, "name");
            this.type = Objects.requireNonNull(type, "type");
            this.detail = Objects.requireNonNull(detail, "detail");
        }

        /**
         * A problem of one name, or of all.
         *
         * @param name the name concerned; empty for all
         * @param type its type, such as {@code urn:ietf:params:acme:error:dns}
         * @param detail its text
         */
        public static Problem of(String name, String type, String detail) {
            return new Problem(name, type, detail);
        }

        /** The name concerned; empty for all. */
        public String name() {
            return name;
        }

        /** Its type, such as {@code urn:ietf:params:acme:error:dns}. */
        public String type() {
            return type;
        }

        /** Its text. */
        public String detail() {
            return detail;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Problem problem
                    && name.equals(problem.name)
                    && type.equals(problem.type)
                    && detail.equals(problem.detail);
        }

        @Override
        public int hashCode() {
            return Objects.hash(name, type, detail);
        }

        @Override
        public String toString() {
            return "Problem[name=" + name + ", type=" + type + ", detail=" + detail + "]";
        }
    }
}
