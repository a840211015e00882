package io.webproxy.undertow.tls;

import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks a certificate provider at each handshake; what it throws is logged once. Thread-safe. */
final class AskedProvider implements KeyChooser {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    /** A provider has thrown an exception. */
    static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1;

        Failed(Throwable why) {
            super("a provider of certificates failed", why, false, false);
        }
    }

    private final CertificateProvider provider;
    private final AtomicBoolean failed = new AtomicBoolean();
    private volatile List<KeyMaterial> last = List.of();

    AskedProvider(CertificateProvider provider) {
        this.provider = provider;
    }

    /** The provider's status; empty if that fails. */
    List<CertificateStatus> status() {
        try {
            return List.copyOf(provider.status());
        } catch (Throwable e) {
            LOG.debug("{} failed to tell its status", provider.getClass().getName(), e);
            return List.of();
        }
    }

    @Override
    public List<KeyMaterial> choose(ClientHello hello) {
        @Nullable KeyMaterial selected;
        try {
            selected = provider.select(hello);
        } catch (Throwable e) {
            if (failed.compareAndSet(false, true)) {
                LOG.warn(
                        "{} failed to select a certificate, which is logged once: such handshakes fail, others don't",
                        provider.getClass().getName(),
                        e);
            }
            throw new Failed(e);
        }
        if (selected == null) {
            return List.of();
        }
        List<KeyMaterial> same = last;
        if (same.isEmpty() || same.get(0) != selected) {
            same = List.of(selected);
            last = same;
        }
        return same;
    }
}
