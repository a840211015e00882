package io.webproxy.acme.renewal;

import io.webproxy.acme.CertificateStore;
import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.order.Issuer;
import io.webproxy.acme.renewal.RenewalSchedule.Urgency;
import io.webproxy.observe.CertificateEvent.Problem;
import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Obtains and renews one certificate: each {@link #look} compares the served certificate with the store, the clock and
 * the CA's suggestion, and does what is due.
 *
 * <p>After any failure the current certificate is still served, even an expired one: some clients may accept it, while
 * none can connect without. Looks follow every few minutes, and each decides by the current wall clock; so a clock that
 * jumps makes nothing happen twice, and nothing is skipped once it is right again.
 *
 * <p>Only one thread at a time calls {@link #look}; any thread can read the served certificate and the status.
 */
final class CertificateRenewal {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");
    private static final Duration LOOKS = Duration.ofMinutes(5);
    private static final Duration WHILE_ANOTHER_ASKS = Duration.ofSeconds(15);
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration SUGGESTION_FAILED = Duration.ofHours(1);
    private static final Duration NO_SUGGESTION = Duration.ofDays(1);

    private final Wanted wanted;
    private final Issuer issuer;
    private final Shelf shelf;
    private final CertificateContext context;
    private final Clock clock;
    private final DoubleSupplier random;
    private final Runnable changed;
    private final RenewalNews news;

    private volatile @Nullable StoredCertificate served;
    private volatile Progress progress;
    /** The certificate that was revoked. */
    private volatile @Nullable X509Certificate revoked;

    private final StoredCopy copy;

    CertificateRenewal(
            Wanted wanted,
            Issuer issuer,
            Shelf shelf,
            CertificateContext context,
            Clock clock,
            DoubleSupplier random,
            Runnable changed) {
        this.wanted = wanted;
        this.issuer = issuer;
        this.shelf = shelf;
        this.context = context;
        this.clock = clock;
        this.random = random;
        this.changed = changed;
        this.copy = new StoredCopy(wanted, shelf);
        this.news = new RenewalNews(wanted, context.observer());
        this.progress = Progress.none(wanted.names());
    }

    /** Loads the stored certificate. */
    void load() throws IOException {
        StoredCertificate stored = copy.changed(served);
        served = stored;
        progress = shelf.progress(wanted);
        if (stored != null) {
            news.loaded(stored);
        }
    }

    @Nullable KeyMaterial served() {
        StoredCertificate now = served;
        return now == null ? null : now.material();
    }

    List<String> names() {
        return wanted.names();
    }

    /** A certificate was revoked: it is served until the next look has obtained another, and not after a restart. */
    void revoked(X509Certificate leaf) {
        revoked = leaf;
    }

    CertificateStatus status() {
        StoredCertificate now = served;
        Failures failures = progress.failures();
        CertificateStatus status = CertificateStatus.of(wanted.names()).withNextAttempt(nextAttempt(clock.instant()));
        if (now != null) {
            KeyMaterial material = now.material();
            status = status.withIssuer(material.leaf().getIssuerX500Principal().getName())
                    .withNotAfter(material.notAfter());
        }
        return failures == null ? status : status.withLastError(failures.sentence());
    }

    /**
     * Does what is due.
     *
     * @return the time until the next look
     */
    Duration look() throws InterruptedException {
        saveAgain();
        takeFromStore();
        dropRevoked();
        Instant now = clock.instant();
        settle(now);
        sayExpiring(now);
        boolean asked = true;
        if (isDue(now)) {
            asked = attempt(now);
        } else {
            askForSuggestion(now);
        }
        now = clock.instant();
        sayExpiring(now);
        return asked ? wait(now) : WHILE_ANOTHER_ASKS;
    }

    private Duration wait(Instant now) {
        Duration wait = Duration.between(now, nextAttempt(now));
        return wait.compareTo(LOOKS) > 0 ? LOOKS : wait.compareTo(SHORTEST) < 0 ? SHORTEST : wait;
    }

    private Instant nextAttempt(Instant now) {
        Instant renewal = renewAt(now);
        Failures failures = progress.failures();
        return failures != null && failures.next().isAfter(renewal) ? failures.next() : renewal;
    }

    /** When to replace the served certificate; at once if it isn't for all names. */
    private Instant renewAt(Instant now) {
        StoredCertificate certificate = served;
        return certificate != null && covers(certificate.material()) && !isRevoked(certificate)
                ? RenewalSchedule.renewAt(certificate, progress.suggestion())
                : now;
    }

    private boolean isRevoked(StoredCertificate certificate) {
        return certificate.material().leaf().equals(revoked);
    }

    private void dropRevoked() {
        StoredCertificate certificate = served;
        if (certificate != null && isRevoked(certificate)) {
            copy.drop();
        }
    }

    private boolean covers(KeyMaterial material) {
        return wanted.names().stream().allMatch(material::covers);
    }

    private boolean isDue(Instant now) {
        return !nextAttempt(now).isAfter(now);
    }

    /** Corrects the recorded failures after the clock has jumped. */
    private void settle(Instant now) {
        Failures failures = progress.failures();
        if (failures == null) {
            return;
        }
        Failures settled = renewAt(now).isAfter(now) ? null : failures.at(now);
        if (!failures.equals(settled)) {
            progress = progress.with(settled);
            shelf.keep(wanted, progress);
        }
    }

    private void saveAgain() {
        if (copy.writeAgain()) {
            shelf.keep(wanted, progress);
            done();
        }
    }

    private void done() {
        try {
            issuer.done(wanted);
        } catch (AcmeFailure e) {
            LOG.debug("The order for {} is still kept in mind", wanted.names(), e);
        }
    }

    /** Serves a certificate that another process, or an operator, has put into the store. */
    private void takeFromStore() {
        if (copy.isUnsaved()) {
            return;
        }
        StoredCertificate before = served;
        StoredCertificate stored;
        try {
            stored = copy.changed(before);
        } catch (IOException e) {
            shelf.troubled(e);
            return;
        }
        if (stored == null || (before != null && !isNewer(stored, before))) {
            return;
        }
        served = stored;
        progress = Progress.none(wanted.names());
        changed.run();
        news.served(before, stored, "Found in the store");
    }

    private static boolean isNewer(StoredCertificate stored, StoredCertificate before) {
        Instant issued = stored.material().leaf().getNotBefore().toInstant();
        Instant issuedBefore = before.material().leaf().getNotBefore().toInstant();
        return !stored.material().leaf().equals(before.material().leaf()) && !issued.isBefore(issuedBefore);
    }

    /** Tries to obtain a certificate; false if another process is doing so. */
    private boolean attempt(Instant now) throws InterruptedException {
        Optional<CertificateStore.Lock> lock;
        try {
            lock = shelf.lock(wanted);
        } catch (IOException e) {
            StoredCertificate certificate = served;
            if (certificate != null && RenewalSchedule.urgency(certificate, now) == Urgency.NONE) {
                // A certificate that can't be stored would be ordered again after each restart, and there is time
                // left.
                failed(String.valueOf(e.getMessage()), List.of(), null, true);
            } else {
                obtain();
            }
            return true;
        }
        if (lock.isEmpty()) {
            LOG.debug("Another process asks for a certificate for {}", wanted.names());
            return false;
        }
        try (CertificateStore.Lock held = lock.get()) {
            // The previous holder of the lock may have obtained it.
            takeFromStore();
            takeLaterFailures();
            if (isDue(clock.instant())) {
                ScheduledFuture<?> extensions = extended(held);
                try {
                    obtain();
                } finally {
                    extensions.cancel(false);
                }
            }
        }
        return true;
    }

    /** Another process has failed: its wait applies here too. */
    private void takeLaterFailures() {
        try {
            Failures mine = progress.failures();
            Failures stored = shelf.progress(wanted).failures();
            if (stored != null && (mine == null || stored.last().isAfter(mine.last()))) {
                progress = progress.with(stored.at(clock.instant()));
            }
        } catch (IOException e) {
            shelf.troubled(e);
        }
    }

    private ScheduledFuture<?> extended(CertificateStore.Lock lock) {
        long third = Shelf.LEASE.toMillis() / 3;
        return context.executor()
                .scheduleWithFixedDelay(
                        () -> {
                            try {
                                lock.extend();
                            } catch (Throwable e) {
                                // Throwable: a repeating task that throws never runs again
                                LOG.debug("A lock can't be extended", e);
                            }
                        },
                        third,
                        third,
                        TimeUnit.MILLISECONDS);
    }

    private void obtain() throws InterruptedException {
        Failures failures = progress.failures();
        news.asking(failures == null ? 0 : failures.count());
        StoredCertificate before = served;
        KeyMaterial material;
        try {
            material = issuer.obtain(
                    wanted,
                    before == null || isRevoked(before)
                            ? null
                            : before.material().leaf());
        } catch (AcmeFailure e) {
            failed(String.valueOf(e.getMessage()), e.problems(), e.retryAfter().orElse(null), false);
            return;
        } catch (RuntimeException e) {
            LOG.debug("A certificate could not be obtained", e);
            failed("It failed in an unexpected way: " + e, List.of(), null, false);
            return;
        }
        if (!covers(material) || !StoredCertificate.matches(material)) {
            failed("The CA has issued something else than was ordered: " + material, List.of(), null, false);
            return;
        }
        serve(before, material);
    }

    private void serve(@Nullable StoredCertificate before, KeyMaterial material) {
        Instant now = clock.instant();
        StoredCertificate fresh = new StoredCertificate(material, now);
        progress = Progress.none(wanted.names());
        if (copy.write(fresh)) {
            shelf.keep(wanted, progress);
            done();
        }
        served = fresh;
        changed.run();
        news.served(before, fresh, before == null ? "Obtained" : "Renewed");
        if (!renewAt(now).isAfter(now)) {
            failed(
                    "The CA has just issued a certificate that is out of date by this machine's clock, " + now
                            + ": set the clock.",
                    List.of(),
                    now.plus(Duration.ofDays(1)),
                    false);
        }
    }

    /** Records a failure, and when to retry. */
    private void failed(String sentence, List<Problem> problems, @Nullable Instant retryAfter, boolean said) {
        Failures failures =
                Failures.after(progress.failures(), clock.instant(), sentence, retryAfter, random.getAsDouble());
        progress = progress.with(failures);
        shelf.keep(wanted, progress);
        news.failed(failures, problems, served, said);
    }

    private void sayExpiring(Instant now) {
        StoredCertificate certificate = served;
        Failures failures = progress.failures();
        if (certificate != null) {
            Urgency urgency = RenewalSchedule.urgency(certificate, now);
            if (failures != null || urgency == Urgency.EXPIRED || urgency == Urgency.NONE) {
                news.expiring(urgency, certificate, failures);
            }
        }
    }

    private void askForSuggestion(Instant now) throws InterruptedException {
        StoredCertificate certificate = served;
        if (certificate == null || !now.isBefore(certificate.material().notAfter())) {
            return;
        }
        Suggestion before = progress.suggestion();
        boolean known = before != null && before.isFor(certificate.material().leaf());
        if (before != null && known && !before.isOld(now)) {
            return;
        }
        Suggestion suggestion;
        try {
            suggestion = issuer.renewalWindow(certificate.material().leaf())
                    .map(window -> Suggestion.of(certificate.material().leaf(), window, now))
                    .orElseGet(() -> Suggestion.none(certificate.material().leaf(), now, NO_SUGGESTION));
        } catch (AcmeFailure | RuntimeException e) {
            LOG.debug("The CA doesn't say when to renew the certificate for {}", wanted.names(), e);
            suggestion = before != null && known
                    ? before.later(now, SUGGESTION_FAILED)
                    : Suggestion.none(certificate.material().leaf(), now, SUGGESTION_FAILED);
        }
        progress = progress.with(suggestion);
        shelf.keep(wanted, progress);
    }
}
