package io.webproxy.acme.order;

import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.ca.CaFailures;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.Names;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.challenge.Proofs;
import io.webproxy.acme.challenge.Propagation;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.spi.ChallengeResponder;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.shredzone.acme4j.Authorization;
import org.shredzone.acme4j.Identifier;
import org.shredzone.acme4j.Order;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.Status;
import org.shredzone.acme4j.challenge.Challenge;
import org.shredzone.acme4j.exception.AcmeException;

/** Proves to a CA that this server controls an order's names (RFC 8555 section 7.5). Thread-safe. */
final class Authorizer {
    private final CaSettings settings;
    private final ChallengeResponder responder;
    private final Clock clock;
    private final KindChoice choice;
    private final Propagation propagation;

    Authorizer(CaSettings settings, ChallengeResponder responder, Clock clock) {
        this.settings = settings;
        this.responder = responder;
        this.clock = clock;
        this.choice = new KindChoice(settings, responder);
        this.propagation = new Propagation(settings.resolvers());
    }

    /**
     * Answers all challenges at once, and waits until the CA has validated each; names with a valid authorization need
     * none.
     */
    void authorize(Wanted wanted, Order order) throws AcmeException, AcmeFailure, InterruptedException {
        try (Proofs proofs = new Proofs(settings, responder, clock)) {
            List<Authorization> open = new ArrayList<>();
            for (Authorization authorization : order.getAuthorizations()) {
                authorization.fetch();
                if (authorization.getStatus() == Status.PENDING) {
                    if (!ordered(wanted, authorization.getIdentifier())) {
                        throw new AcmeFailure(
                                CaFailures.oneLine("CA " + settings.name() + " asks for control of "
                                        + authorization.getIdentifier().getValue() + ", which wasn't ordered"),
                                List.of(),
                                null,
                                null);
                    }
                    boolean address = authorization.getIdentifier().getType().equals(Identifier.TYPE_IP);
                    proofs.give(choice.kinds(wanted, authorization.isWildcard(), address), authorization);
                    open.add(authorization);
                }
            }
            propagation.await(proofs.records());
            for (Challenge challenge : proofs.given()) {
                challenge.trigger();
            }
            List<CertificateEvent.Problem> problems = new ArrayList<>();
            Poll poll = new Poll(clock, AcmeIssuer.LIMIT);
            for (Authorization authorization : open) {
                Status status = poll.done(authorization);
                if (status == null) {
                    throw AcmeIssuer.tooLate(
                            settings, authorization.getIdentifier().getValue());
                }
                if (status != Status.VALID) {
                    problems.add(problem(authorization));
                }
            }
            if (!problems.isEmpty()) {
                choice.failed(wanted);
                throw refused(problems);
            }
            choice.succeeded(wanted);
        }
    }

    private AcmeFailure refused(List<CertificateEvent.Problem> problems) {
        StringBuilder sentence = new StringBuilder("CA " + settings.name() + " has not seen control of ");
        sentence.append(String.join(
                ", ", problems.stream().map(CertificateEvent.Problem::name).toList()));
        CertificateEvent.Problem first = problems.get(0);
        sentence.append(": ")
                .append(first.detail())
                .append(" (")
                .append(first.type())
                .append(')');
        return new AcmeFailure(CaFailures.oneLine(sentence.toString()), problems, null, null);
    }

    private static CertificateEvent.Problem problem(Authorization authorization) {
        String name = (authorization.isWildcard() ? "*." : "")
                + authorization.getIdentifier().getValue();
        for (Challenge challenge : authorization.getChallenges()) {
            Problem problem = challenge.getError().orElse(null);
            if (problem != null) {
                return CertificateEvent.Problem.of(
                        name,
                        problem.getType().toString(),
                        challenge.getType() + ": " + problem.getDetail().orElse("no reason given"));
            }
        }
        return CertificateEvent.Problem.of(name, "about:blank", "authorization is " + authorization.getStatus());
    }

    /** Whether a name that a CA wants to validate was ordered: challenges for others aren't answered. */
    static boolean ordered(Wanted wanted, Identifier identifier) {
        return wanted.names().stream()
                .map(name -> Names.identifier(Names.isWildcard(name) ? name.substring(2) : name))
                .anyMatch(identifier::equals);
    }
}
