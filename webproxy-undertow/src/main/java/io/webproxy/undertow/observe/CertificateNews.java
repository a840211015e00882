package io.webproxy.undertow.observe;

import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;

/** Passes what a certificate provider tells to the observers, and nothing else. Thread-safe. */
public final class CertificateNews implements ProxyObserver {
    private final Recorder recorder;

    /** For the observers of this recorder. */
    public CertificateNews(Recorder recorder) {
        this.recorder = recorder;
    }

    @Override
    public void certificateChanged(CertificateEvent event) {
        recorder.tell(observer -> observer.certificateChanged(event));
    }

    @Override
    public void certificateObtained(CertificateEvent event) {
        recorder.tell(observer -> observer.certificateObtained(event));
    }

    @Override
    public void certificateRenewed(CertificateEvent event) {
        recorder.tell(observer -> observer.certificateRenewed(event));
    }

    @Override
    public void certificateReloaded(CertificateEvent event) {
        recorder.tell(observer -> observer.certificateReloaded(event));
    }

    @Override
    public void certificateFailed(CertificateEvent event) {
        recorder.tell(observer -> observer.certificateFailed(event));
    }

    @Override
    public void certificateExpiring(CertificateEvent event) {
        recorder.tell(observer -> observer.certificateExpiring(event));
    }

    @Override
    public void certificateRevoked(CertificateEvent event) {
        recorder.tell(observer -> observer.certificateRevoked(event));
    }
}
