package io.webproxy.acme.renewal;

import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.order.Issuer;
import io.webproxy.tls.KeyMaterial;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * An issuer that obtains one certificate after another: two answers for one name can't be given at the same time, and
 * certificates of two kinds of keys are for the same names. Thread-safe.
 */
public final class OneAtATime implements Issuer {
    private final Issuer issuer;
    private final ReentrantLock obtaining = new ReentrantLock(true);

    public OneAtATime(Issuer issuer) {
        this.issuer = issuer;
    }

    @Override
    public KeyMaterial obtain(Wanted wanted, @Nullable X509Certificate replaces)
            throws AcmeFailure, InterruptedException {
        obtaining.lockInterruptibly();
        try {
            return issuer.obtain(wanted, replaces);
        } finally {
            obtaining.unlock();
        }
    }

    /**
     * Keeps certificates from being obtained, unless one is being obtained now; then it returns false. To be
     * {@linkplain #goOn ended} by the same thread.
     */
    public boolean pause() {
        return obtaining.tryLock();
    }

    /** Ends a {@link #pause}. */
    public void goOn() {
        obtaining.unlock();
    }

    @Override
    public void done(Wanted wanted) throws AcmeFailure {
        issuer.done(wanted);
    }

    @Override
    public Optional<RenewalWindow> renewalWindow(X509Certificate certificate) throws AcmeFailure, InterruptedException {
        return issuer.renewalWindow(certificate);
    }

    @Override
    public void revoke(KeyMaterial certificate) throws AcmeFailure, InterruptedException {
        issuer.revoke(certificate);
    }
}
