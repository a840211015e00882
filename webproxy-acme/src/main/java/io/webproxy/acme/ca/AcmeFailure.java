package io.webproxy.acme.ca;

import io.webproxy.observe.CertificateEvent;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An attempt has failed; the message is one sentence. */
public final class AcmeFailure extends Exception {
    private static final long serialVersionUID = 1;

    private final transient List<CertificateEvent.Problem> problems;
    private final @Nullable Instant retryAfter;

    /**
     * A failure.
     *
     * @param retryAfter before when the CA doesn't want to be asked again; null if it has not said so
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

    /** What the CA has said, of each name. */
    public List<CertificateEvent.Problem> problems() {
        return problems;
    }

    /** Before when the CA doesn't want to be asked again. */
    public Optional<Instant> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
