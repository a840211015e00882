package io.webproxy.acme.order;

import io.webproxy.acme.ChallengeKind;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.spi.ChallengeResponder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Chooses the types of challenges to try, best first. Thread-safe. */
final class KindChoice {
    private final CaSettings settings;
    private final ChallengeResponder responder;
    /** Consecutive failed validations, by certificate. */
    private final Map<String, Integer> failures = new ConcurrentHashMap<>();

    KindChoice(CaSettings settings, ChallengeResponder responder) {
        this.settings = settings;
        this.responder = responder;
    }

    /** The types that can work for a name: after each failure the list starts with the next one. */
    List<ChallengeKind> kinds(Wanted wanted, boolean wildcard, boolean address) {
        List<ChallengeKind> order =
                new ArrayList<>(settings.challenges().isEmpty() ? automatic() : settings.challenges());
        if (settings.dns().isEmpty() || address) {
            order.remove(ChallengeKind.DNS_01); // RFC 8738 section 7
        }
        if (wildcard) {
            order.retainAll(List.of(ChallengeKind.DNS_01)); // RFC 8555 section 7.1.3, RFC 8737 section 3
        }
        Collections.rotate(order, -failures.getOrDefault(wanted.id(), 0));
        return order;
    }

    private List<ChallengeKind> automatic() {
        List<ChallengeKind> order = new ArrayList<>();
        if (responder.httpsPort() != 0) {
            order.add(ChallengeKind.TLS_ALPN_01);
        }
        if (responder.httpPort() != 0) {
            order.add(ChallengeKind.HTTP_01);
        }
        order.add(ChallengeKind.DNS_01);
        return order;
    }

    /** A validation failed. */
    void failed(Wanted wanted) {
        failures.merge(wanted.id(), 1, Integer::sum);
    }

    void succeeded(Wanted wanted) {
        failures.remove(wanted.id());
    }
}
