package io.webproxy.acme.testing;

import io.webproxy.observe.CertificateEvent;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.CertificateContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** A server that uses certificates: counts changes and keeps events. */
public record FakeContext(
        ScheduledExecutorService executor,
        @Nullable ChallengeResponder responder,
        List<CertificateEvent> events,
        List<String> changes)
        implements CertificateContext {
    public FakeContext(ScheduledExecutorService executor) {
        this(executor, null);
    }

    public FakeContext(ScheduledExecutorService executor, @Nullable ChallengeResponder responder) {
        this(executor, responder, new ArrayList<>(), new ArrayList<>());
    }

    public List<CertificateEvent.Kind> kinds() {
        return events.stream().map(CertificateEvent::kind).toList();
    }

    @Override
    public ChallengeResponder challenges() {
        if (responder == null) {
            throw new UnsupportedOperationException();
        }
        return responder;
    }

    @Override
    public void changed() {
        changes.add("changed");
    }

    @Override
    public void publish(CertificateEvent event) {
        events.add(event);
    }
}
