package io.webproxy.undertow.server;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.Daemons;
import io.webproxy.undertow.observe.CertificateNews;
import io.webproxy.undertow.observe.Recorder;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running certificate provider, with the threads and challenge answers that it uses until it stops. Thread-safe. */
final class RunningProvider implements CertificateContext {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final int THREADS = 2;

    private final CertificateProvider provider;
    private final ChallengeAnswers challenges;
    private final ProxyObserver observer;
    private final ScheduledThreadPoolExecutor executor;

    RunningProvider(CertificateProvider provider, ChallengeAnswers challenges, Recorder recorder) {
        this.provider = provider;
        this.challenges = challenges;
        this.observer = new CertificateNews(recorder);
        this.executor = new ScheduledThreadPoolExecutor(THREADS, Daemons.numbered("webproxy-certificates"));
        executor.setRemoveOnCancelPolicy(true);
    }

    /**
     * Starts it.
     *
     * @throws ProxyStartException with the provider's sentence, if it fails; it then holds no resources
     */
    void start() {
        try {
            provider.start(this);
        } catch (Throwable e) {
            release();
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            String why = e.getMessage();
            throw new ProxyStartException(
                    why == null || why.isBlank() ? provider.getClass().getName() + " can't start: " + e + "." : why, e);
        }
    }

    /** Stops it and takes back its resources. */
    void stop() {
        try {
            provider.stop();
        } catch (Throwable e) {
            LOG.warn(
                    "{} failed to stop; it is no longer used",
                    provider.getClass().getName(),
                    e);
        } finally {
            release();
        }
    }

    private void release() {
        new CloseSteps()
                .step("the threads of a provider", executor::shutdownNow)
                .step("the challenges of a provider", challenges::close)
                .report();
    }

    @Override
    public ScheduledExecutorService executor() {
        return executor;
    }

    @Override
    public ChallengeResponder challenges() {
        return challenges;
    }

    /** Providers are called for each handshake: there is nothing to do. */
    @Override
    public void changed() {
        LOG.debug(
                "{} serves other certificates from now on", provider.getClass().getName());
    }

    @Override
    public ProxyObserver observer() {
        return observer;
    }
}
