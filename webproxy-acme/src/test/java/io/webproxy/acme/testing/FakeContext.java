package io.webproxy.acme.testing;

import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.testing.Told;
import io.webproxy.tls.CertificateContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** A server that uses certificates: counts changes and keeps events. */
public record FakeContext(
        ScheduledExecutorService executor,
        @Nullable ChallengeResponder responder,
        List<Told> told,
        List<String> changes)
        implements CertificateContext {
    public FakeContext(ScheduledExecutorService executor) {
        this(executor, null);
    }

    public FakeContext(ScheduledExecutorService executor, @Nullable ChallengeResponder responder) {
        this(executor, responder, new ArrayList<>(), new ArrayList<>());
    }

    /** What has happened to certificates, in order, such as {@code obtained}. */
    public List<String> kinds() {
        return told.stream()
                .map(each -> each.method().replaceFirst("^certificate", "").toLowerCase(Locale.ROOT))
                .toList();
    }

    public List<CertificateEvent> events() {
        return told.stream().map(each -> each.as(CertificateEvent.class)).toList();
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
    public ProxyObserver observer() {
        return Told.to(told::add);
    }
}
