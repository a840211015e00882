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
 * An issuer that obtains one certificate at a time: a challenge for a name can have only one answer at a time, and
 * certificates with different key types share their names. Thread-safe.
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
     * Prevents certificates from being obtained; returns false if one is being obtained now. The same thread must call
     * {@link #goOn}.
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
