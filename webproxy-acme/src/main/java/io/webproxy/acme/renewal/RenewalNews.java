package io.webproxy.acme.renewal;

import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.renewal.RenewalSchedule.Urgency;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.CertificateEvent.Problem;
import io.webproxy.observe.ProxyObserver;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports about one certificate, to the log and to observers. Each step has an INFO line, each failure an event; a
 * repeated failure has only one WARN line. Not thread-safe.
 */
final class RenewalNews {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");

    private final List<String> names;
    private final String text;
    private final ProxyObserver observer;
    private @Nullable Object warnedOf;
    private Urgency urgency = Urgency.NONE;

    RenewalNews(Wanted wanted, ProxyObserver observer) {
        this.names = wanted.names();
        this.text = String.join(", ", wanted.names());
        this.observer = observer;
    }

    void asking(int failures) {
        if (failures == 0) {
            LOG.info("Asking for a certificate for {}", text);
        } else {
            LOG.debug("Asking for a certificate for {} again, after {} failures", text, failures);
        }
    }

    /** The stored certificate is served after the start. */
    void loaded(StoredCertificate stored) {
        LOG.info(
                "Serving the stored certificate for {} of {}, valid until {}",
                text,
                stored.material().leaf().getIssuerX500Principal().getName(),
                stored.material().notAfter());
    }

    /** A new certificate is served. */
    void served(@Nullable StoredCertificate before, StoredCertificate now, String how) {
        warnedOf = null;
        urgency = Urgency.NONE;
        String detail = how + " a certificate for " + text + " of "
                + now.material().leaf().getIssuerX500Principal().getName()
                + ", valid until " + now.material().notAfter();
        LOG.info("{}", detail);
        CertificateEvent event = event(now, detail);
        if (before == null) {
            observer.certificateObtained(event);
        } else {
            observer.certificateRenewed(event);
        }
    }

    /**
     * An attempt failed.
     *
     * @param said whether it was logged already
     */
    void failed(Failures failures, List<Problem> problems, @Nullable StoredCertificate served, boolean said) {
        String detail = "No certificate for " + text + ": " + ended(failures.sentence()) + " Next attempt: "
                + failures.next() + ".";
        Object same = problems.isEmpty()
                ? failures.sentence()
                : problems.stream()
                        .map(problem -> problem.name() + " " + problem.type())
                        .toList();
        if (said || same.equals(warnedOf)) {
            LOG.debug("{} Failures: {}", detail, failures.count());
        } else {
            LOG.warn("{}", detail);
        }
        warnedOf = same;
        observer.certificateFailed(event(served, detail).withProblems(problems));
    }

    /** A certificate nears its end; logged once for each level of urgency. */
    void expiring(Urgency now, StoredCertificate served, @Nullable Failures failures) {
        if (now.compareTo(urgency) <= 0) {
            urgency = now;
            return;
        }
        urgency = now;
        String detail = "The certificate for " + text
                + (now == Urgency.EXPIRED ? " has expired and is still served, " : " expires soon, ")
                + served.material().notAfter() + ": "
                + (failures == null
                        ? "it is being renewed."
                        : "it could not be renewed. " + ended(failures.sentence()));
        LOG.warn("{}", detail);
        observer.certificateExpiring(event(served, detail));
    }

    private static String ended(String sentence) {
        return sentence.endsWith(".") ? sentence : sentence + ".";
    }

    private CertificateEvent event(@Nullable StoredCertificate served, String detail) {
        CertificateEvent event = CertificateEvent.of(names, detail);
        return served == null ? event : event.withNotAfter(served.material().notAfter());
    }
}
