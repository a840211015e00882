package io.webproxy.acme.testing;

import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.order.Issuer;
import io.webproxy.observe.CertificateEvent.Problem;
import io.webproxy.tls.KeyMaterial;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A CA that issues at once, or fails as it is told. */
public final class FakeIssuer implements Issuer {
    private final ManualTime time;
    public final List<Instant> orders = new ArrayList<>();
    public final List<X509Certificate> revoked = new ArrayList<>();
    public final List<Wanted> done = new ArrayList<>();
    public final List<@Nullable X509Certificate> replaced = new ArrayList<>();
    public Duration lifetime = Duration.ofDays(90);
    /** How far the CA's clock is ahead of this machine's. */
    public Duration ahead = Duration.ZERO;

    public @Nullable AcmeFailure failure;

    public @Nullable RuntimeException defect;

    public @Nullable RenewalWindow window;

    public int windowsAsked;
    public Runnable meanwhile = () -> {};

    public FakeIssuer(ManualTime time) {
        this.time = time;
    }

    public static AcmeFailure refused(String sentence, @Nullable Instant retryAfter) {
        return new AcmeFailure(
                sentence,
                List.of(Problem.of("example.com", "urn:ietf:params:acme:error:dns", sentence)),
                retryAfter,
                null);
    }

    public static AcmeFailure unreachable() {
        return new AcmeFailure("The CA can't be reached.", List.of(), null, null);
    }

    @Override
    public KeyMaterial obtain(Wanted wanted, @Nullable X509Certificate replaces)
            throws AcmeFailure, InterruptedException {
        orders.add(time.now());
        replaced.add(replaces);
        meanwhile.run();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (failure != null) {
            throw failure;
        }
        if (defect != null) {
            throw defect;
        }
        return TestCertificates.issue(time.now().plus(ahead), lifetime, wanted.names());
    }

    @Override
    public Optional<RenewalWindow> renewalWindow(X509Certificate certificate) throws AcmeFailure {
        windowsAsked++;
        if (failure != null) {
            throw failure;
        }
        return Optional.ofNullable(window);
    }

    @Override
    public void done(Wanted wanted) {
        done.add(wanted);
    }

    @Override
    public void revoke(KeyMaterial certificate) throws AcmeFailure {
        if (failure != null) {
            throw failure;
        }
        revoked.add(certificate.leaf());
    }
}
