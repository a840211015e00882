package io.webproxy.acme.challenge;

import io.webproxy.acme.ChallengeKind;
import io.webproxy.acme.DnsRecordPublisher;
import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.TlsAlpnCertificate;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.shredzone.acme4j.Authorization;
import org.shredzone.acme4j.Identifier;
import org.shredzone.acme4j.challenge.Challenge;
import org.shredzone.acme4j.challenge.Dns01Challenge;
import org.shredzone.acme4j.challenge.Http01Challenge;
import org.shredzone.acme4j.challenge.TlsAlpn01Challenge;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers the challenges of an order until it is closed. Not thread-safe. */
public final class Proofs implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Proofs.class);

    private final CaSettings settings;
    private final ChallengeResponder responder;
    private final Clock clock;
    private final Deque<ChallengeResponder.Answer> answers = new ArrayDeque<>();
    private final List<Challenge> given = new ArrayList<>();
    private final List<TxtRecord> records = new ArrayList<>();

    public Proofs(CaSettings settings, ChallengeResponder responder, Clock clock) {
        this.settings = settings;
        this.responder = responder;
        this.clock = clock;
    }

    /** Answers the challenge for a name, of the first of these types that the CA offers. */
    public void give(List<ChallengeKind> kinds, Authorization authorization) throws AcmeFailure, InterruptedException {
        List<Challenge> offered = authorization.getChallenges();
        for (ChallengeKind kind : kinds) {
            for (Challenge challenge : offered) {
                if (challenge.getType().equals(kind.type())) {
                    answers.push(answer(challenge, authorization.getIdentifier()));
                    given.add(challenge);
                    return;
                }
            }
        }
        throw new AcmeFailure(
                authorization.getIdentifier().getValue()
                        + ": no challenge that the CA offers can be answered (offered: "
                        + String.join(
                                ", ", offered.stream().map(Challenge::getType).toList())
                        + "; possible here: "
                        + (kinds.isEmpty()
                                ? "none"
                                : String.join(
                                        ", ",
                                        kinds.stream().map(ChallengeKind::type).toList()))
                        + ")",
                List.of(),
                null,
                null);
    }

    private ChallengeResponder.Answer answer(Challenge challenge, Identifier identifier)
            throws AcmeFailure, InterruptedException {
        if (challenge instanceof Http01Challenge http) {
            return responder.http(http.getToken(), http.getAuthorization());
        }
        if (challenge instanceof TlsAlpn01Challenge tls) {
            return responder.tlsAlpn(identifier.getValue(), certificate(tls, identifier));
        }
        return publish((Dns01Challenge) challenge, identifier);
    }

    private KeyMaterial certificate(TlsAlpn01Challenge challenge, Identifier identifier) throws AcmeFailure {
        try {
            return TlsAlpnCertificate.create(identifier, challenge.getAcmeValidation(), clock.instant());
        } catch (GeneralSecurityException | IOException e) {
            throw new AcmeFailure(identifier.getValue() + ": no certificate for tls-alpn-01: " + e, List.of(), null, e);
        }
    }

    private ChallengeResponder.Answer publish(Dns01Challenge challenge, Identifier identifier)
            throws AcmeFailure, InterruptedException {
        DnsRecordPublisher publisher = settings.dns().orElseThrow();
        TxtRecord record = new TxtRecord("_acme-challenge." + identifier.getDomain(), challenge.getDigest());
        try {
            publisher.publish(record.name(), record.value());
        } catch (InterruptedException e) {
            remove(publisher, record);
            throw e;
        } catch (Exception e) {
            remove(publisher, record);
            throw new AcmeFailure(record.name() + ": can't be published: " + e.getMessage(), List.of(), null, e);
        }
        records.add(record);
        return () -> remove(publisher, record);
    }

    private static void remove(DnsRecordPublisher publisher, TxtRecord record) {
        try {
            publisher.remove(record.name(), record.value());
        } catch (Exception e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            LOG.info("{}: the record of a challenge is still there: {}", record.name(), e.toString());
        }
    }

    /** The challenges to trigger. */
    public List<Challenge> given() {
        return given;
    }

    /** The records to wait for. */
    public List<TxtRecord> records() {
        return records;
    }

    @Override
    public void close() {
        while (!answers.isEmpty()) {
            answers.pop().close();
        }
    }
}
