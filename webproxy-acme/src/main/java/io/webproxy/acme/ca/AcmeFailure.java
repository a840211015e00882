package io.webproxy.acme.ca;

import io.webproxy.observe.CertificateEvent;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Thrown when an attempt fails; the message is one sentence. */
public final class AcmeFailure extends Exception {
    private static final long serialVersionUID = 1;

    private final transient List<CertificateEvent.Problem> problems;
    private final @Nullable Instant retryAfter;

    /**
     * A failure.
     *
     * @param retryAfter the earliest time for another request, by the CA; null if it gave none
     */
    public AcmeFailure(
            String sentence,
            List<CertificateEvent.Problem> problems,
            @Nullable Instant retryAfter,
            @Nullable Throwable cause) {
        super(sentence, cause);
        this.problems = List.copyOf(problems);
        this.retryAfter = retryAfter;
    }

    /** The problems that the CA reported, by name. */
    public List<CertificateEvent.Problem> problems() {
        return problems;
    }

    /** The earliest time for another request, by the CA. */
    public Optional<Instant> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
