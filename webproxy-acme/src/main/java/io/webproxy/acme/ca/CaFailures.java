package io.webproxy.acme.ca;

import io.webproxy.observe.CertificateEvent;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.http.HttpTimeoutException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Identifier;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeLazyLoadingException;
import org.shredzone.acme4j.exception.AcmeNetworkException;
import org.shredzone.acme4j.exception.AcmeNotSupportedException;
import org.shredzone.acme4j.exception.AcmeServerException;

/** Describes failures of a CA, in one sentence each. */
public final class CaFailures {
    /** Problems of the CA, not of the order (RFC 8555 section 6.7): the order can be resumed. */
    private static final List<String> PASSING = List.of("serverInternal", "rateLimited", "badNonce");

    private final String ca;
    private final CaSettings settings;

    public CaFailures(CaSettings settings) {
        this.settings = settings;
        this.ca = "CA " + settings.name();
    }

    /**
     * The failure for an exception of acme4j.
     *
     * @throws InterruptedException if an interrupt was the cause
     */
    public AcmeFailure of(Exception thrown, CaProvider provider) throws InterruptedException {
        Throwable reason =
                thrown instanceof AcmeLazyLoadingException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (reason instanceof AcmeNetworkException && reason.getCause() != null) {
            reason = reason.getCause();
        }
        if (reason instanceof InterruptedIOException && reason.getCause() instanceof InterruptedException) {
            throw (InterruptedException) reason.getCause();
        }
        Instant retryAfter = provider.retryAfter().orElse(null);
        if (reason instanceof AcmeServerException refused) {
            return refused(refused.getProblem(), retryAfter, thrown);
        }
        return new AcmeFailure(
                ca + sentence(reason, provider.status()),
                List.of(),
                provider.status() >= 400 ? retryAfter : null,
                thrown);
    }

    private String sentence(Throwable reason, int status) {
        if (reason instanceof HttpTimeoutException) {
            return " has not answered within " + settings.timeout().toMillis() + " ms";
        }
        if (reason instanceof SSLException) {
            return " isn't trusted or speaks no TLS: " + text(reason);
        }
        if (reason instanceof AcmeNotSupportedException) {
            return ": " + text(reason);
        }
        if (reason instanceof AcmeException && status == 429) {
            return " has had too many requests (HTTP 429)";
        }
        if (reason instanceof AcmeException && status >= 400) {
            return " has failed with HTTP " + status;
        }
        if (reason instanceof IOException && !(reason.getCause() instanceof JoseException)) {
            return " can't be reached: " + text(reason);
        }
        return " has sent what can't be understood: " + text(reason);
    }

    /** The failure for an invalid answer. */
    public AcmeFailure plain(String sentence) {
        return new AcmeFailure(ca + sentence, List.of(), null, null);
    }

    /** An exception's message, or its class if it has none. */
    private static String text(Throwable reason) {
        String message = reason.getMessage();
        return message == null || message.isBlank() ? reason.getClass().getSimpleName() : oneLine(message.strip());
    }

    /** The failure for an error of the CA. */
    public AcmeFailure refused(Problem problem, @Nullable Instant retryAfter, @Nullable Exception thrown) {
        List<CertificateEvent.Problem> problems = new ArrayList<>();
        problems.add(of(problem));
        for (Problem sub : problem.getSubProblems()) {
            problems.add(of(sub));
        }
        return new AcmeFailure(ca + " refuses: " + oneLine(problem), problems, retryAfter, thrown);
    }

    private static CertificateEvent.Problem of(Problem problem) {
        Optional<Identifier> identifier = problem.getIdentifier();
        return CertificateEvent.Problem.of(
                identifier.map(Identifier::getValue).orElse(""),
                problem.getType().toString(),
                problem.getDetail().or(problem::getTitle).orElse(""));
    }

    /** A problem's text and type, in one line for the log. */
    public static String oneLine(Problem problem) {
        return oneLine(problem + " (" + problem.getType() + ")");
    }

    public static String oneLine(String text) {
        return text.replaceAll("\\p{Cntrl}+", " ");
    }

    /** Whether a failure says nothing about the order. */
    public static boolean passing(Exception thrown, CaProvider provider) {
        Throwable reason = thrown instanceof AcmeLazyLoadingException ? thrown.getCause() : thrown;
        if (reason instanceof AcmeServerException refused) {
            String type = refused.getType().toString();
            return PASSING.stream().anyMatch(name -> type.endsWith(":" + name));
        }
        return reason instanceof AcmeNetworkException || provider.status() >= 500 || provider.status() == 429;
    }
}
