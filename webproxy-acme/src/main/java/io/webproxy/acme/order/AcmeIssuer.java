package io.webproxy.acme.order;

import io.webproxy.acme.CertificateStore;
import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.ca.CaFailures;
import io.webproxy.acme.ca.CaHttp;
import io.webproxy.acme.ca.CaProvider;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.IssuedChain;
import io.webproxy.acme.certificate.Keys;
import io.webproxy.acme.certificate.Names;
import io.webproxy.acme.certificate.RenewalName;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Certificate;
import org.shredzone.acme4j.Login;
import org.shredzone.acme4j.Order;
import org.shredzone.acme4j.OrderBuilder;
import org.shredzone.acme4j.RenewalInfo;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.Status;
import org.shredzone.acme4j.connector.Resource;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeServerException;
import org.shredzone.acme4j.util.CSRBuilder;

/** Obtains certificates from a CA by ACME (RFC 8555). Thread-safe: each call has a session of its own. */
public final class AcmeIssuer implements Issuer {
    /** How long a CA may take for the validation, and again for issuing. */
    static final Duration LIMIT = Duration.ofMinutes(5);

    /** The profile that a CA such as Let's Encrypt requires for IP addresses. */
    private static final String SHORT_LIVED = "shortlived";

    /** The shortest useful interval of requests for renewal information (RFC 9773 section 4.3.2). */
    private static final Duration ASK_LEAST = Duration.ofMinutes(1);

    private static final Duration ASK_MOST = Duration.ofDays(1);
    private static final Duration ASK_UNLESS_TOLD = Duration.ofHours(6);

    private final CaSettings settings;
    private final Clock clock;
    private final Accounts accounts;
    private final PendingOrders orders;
    private final Authorizer authorizer;
    private final CaFailures failures;
    private @Nullable HttpClient client;

    public AcmeIssuer(CaSettings settings, CertificateStore store, ChallengeResponder responder, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.accounts = new Accounts(store);
        this.orders = new PendingOrders(settings, store);
        this.authorizer = new Authorizer(settings, responder, clock);
        this.failures = new CaFailures(settings);
    }

    @Override
    public KeyMaterial obtain(Wanted wanted, @Nullable X509Certificate replaces)
            throws AcmeFailure, InterruptedException {
        return ask((session, provider) -> {
            Login login = accounts.login(session, settings);
            PendingOrders.Pending kept = orders.find(wanted).orElse(null);
            if (kept != null) {
                KeyMaterial issued = resume(wanted, login.bindOrder(kept.location()), kept.key(), provider);
                if (issued != null && !issued.leaf().equals(replaces)) {
                    return issued;
                }
                orders.forget(wanted);
            }
            KeyPair key = Keys.create(wanted.keyType());
            Order order = order(login, wanted, replaces, provider);
            orders.keep(wanted, new PendingOrders.Pending(order.getLocation(), key));
            return complete(wanted, order, key, provider);
        });
    }

    /** Resumes an earlier order; null if that isn't possible. */
    private @Nullable KeyMaterial resume(Wanted wanted, Order order, KeyPair key, CaProvider provider)
            throws AcmeException, IOException, AcmeFailure, InterruptedException {
        try {
            order.fetch();
            return order.getStatus() == Status.INVALID ? null : complete(wanted, order, key, provider);
        } catch (AcmeException | RuntimeException e) {
            if (CaFailures.passing(e, provider)) {
                throw e;
            }
            return null;
        } catch (AcmeFailure e) {
            if (orders.find(wanted).isPresent() || !e.problems().isEmpty()) {
                throw e;
            }
            return null;
        }
    }

    private Order order(Login login, Wanted wanted, @Nullable X509Certificate replaces, CaProvider provider)
            throws AcmeException {
        Optional<String> replaced = Optional.ofNullable(replaces).flatMap(RenewalName::of);
        if (replaced.isPresent()
                && login.getSession().resourceUrlOptional(Resource.RENEWAL_INFO).isPresent()) {
            try {
                return builder(login, wanted).replaces(replaced.get()).create();
            } catch (AcmeServerException e) {
                // Replaced already, or of another account or CA: an ordinary order (RFC 9773 section 5).
                if (CaFailures.passing(e, provider)) {
                    throw e;
                }
            }
        }
        return builder(login, wanted).create();
    }

    private OrderBuilder builder(Login login, Wanted wanted) throws AcmeException {
        OrderBuilder builder = login.newOrder()
                .identifiers(wanted.names().stream().map(Names::identifier).toList());
        Optional<String> profile = settings.profile();
        if (profile.isEmpty()
                && wanted.names().stream().anyMatch(Names::isAddress)
                && login.getSession().getMetadata().isProfileAllowed(SHORT_LIVED)) {
            profile = Optional.of(SHORT_LIVED);
        }
        profile.ifPresent(builder::profile);
        return builder;
    }

    /** Takes an order from its current state to the certificate. An order that can't get there is forgotten. */
    private KeyMaterial complete(Wanted wanted, Order order, KeyPair key, CaProvider provider)
            throws AcmeException, IOException, AcmeFailure, InterruptedException {
        try {
            if (order.getStatus() == Status.PENDING) {
                authorizer.authorize(wanted, order);
                order.fetch();
            }
            Poll poll = new Poll(clock, LIMIT);
            if (order.getStatus() == Status.PENDING) {
                poll.done(order);
            }
            if (order.getStatus() == Status.READY) {
                order.execute(request(wanted, key));
            }
            Status status = poll.done(order);
            if (status == null) {
                throw tooLate(settings, String.join(", ", wanted.names()));
            }
            if (status != Status.VALID) {
                orders.forget(wanted);
                throw order.getError()
                        .map(problem -> failures.refused(problem, null, null))
                        .orElseGet(() -> failures.plain(" has made the order " + order.getStatus()));
            }
            return IssuedChain.check(wanted, key, order.getCertificate().getCertificateChain(), clock.instant());
        } catch (GeneralSecurityException e) {
            orders.forget(wanted);
            throw failures.plain(" has sent a chain that can't be used: " + e.getMessage());
        } catch (AcmeFailure e) {
            if (!e.problems().isEmpty()) {
                orders.forget(wanted); // refused: the order can't become valid any more (RFC 8555 section 7.1.6)
            }
            throw e;
        } catch (AcmeException | RuntimeException e) {
            if (!CaFailures.passing(e, provider)) {
                orders.forget(wanted);
            }
            throw e;
        }
    }

    private static byte[] request(Wanted wanted, KeyPair key) throws IOException {
        CSRBuilder request = new CSRBuilder();
        wanted.names().forEach(name -> request.addIdentifier(Names.identifier(name)));
        request.sign(key);
        return request.getEncoded();
    }

    /** The failure for a CA that takes too long. */
    static AcmeFailure tooLate(CaSettings settings, String what) {
        return new AcmeFailure(
                "CA " + settings.name() + " is not done with " + what + " after " + LIMIT.toMinutes() + " min",
                List.of(),
                null,
                null);
    }

    @Override
    public void done(Wanted wanted) throws AcmeFailure {
        try {
            orders.forget(wanted);
        } catch (IOException e) {
            throw storeFails(e);
        }
    }

    @Override
    public Optional<RenewalWindow> renewalWindow(X509Certificate certificate) throws AcmeFailure, InterruptedException {
        return ask((session, provider) -> {
            Optional<String> name = RenewalName.of(certificate);
            if (name.isEmpty()
                    || session.resourceUrlOptional(Resource.RENEWAL_INFO).isEmpty()) {
                return Optional.empty();
            }
            // A GET: needs neither the account nor its key.
            Login unregistered = session.login(settings.directory().toURL(), Keys.create("EC"));
            RenewalInfo info = unregistered.bindRenewalInfo(certificate);
            Optional<Instant> retryAfter;
            try {
                retryAfter = info.fetch();
            } catch (AcmeServerException e) {
                if (provider.status() == 404) {
                    return Optional.empty();
                }
                throw e;
            }
            Instant start = info.getSuggestedWindowStart();
            Instant end = info.getSuggestedWindowEnd();
            if (!end.isAfter(start)) {
                throw failures.plain(" wants a certificate to be renewed between " + start + " and " + end);
            }
            Duration wait = retryAfter
                    .map(until -> Duration.between(clock.instant(), until))
                    .orElse(ASK_UNLESS_TOLD);
            return Optional.of(new RenewalWindow(
                    start,
                    end,
                    wait.compareTo(ASK_LEAST) < 0 ? ASK_LEAST : wait.compareTo(ASK_MOST) > 0 ? ASK_MOST : wait));
        });
    }

    /** Signed with the certificate's own key, so that it works without the account. */
    @Override
    public void revoke(KeyMaterial certificate) throws AcmeFailure, InterruptedException {
        ask((session, provider) -> {
            KeyPair key = new KeyPair(certificate.leaf().getPublicKey(), certificate.key());
            try {
                Certificate.revoke(session, key, certificate.leaf(), null);
            } catch (AcmeServerException e) {
                if (!e.getType().toString().endsWith(":alreadyRevoked")) {
                    throw e;
                }
            }
            return certificate;
        });
    }

    /** A request to the CA. */
    private interface Question<T> {
        T ask(Session session, CaProvider provider)
                throws AcmeException, IOException, AcmeFailure, InterruptedException;
    }

    /** Runs a request in a new session; describes a failure in one sentence. */
    private <T> T ask(Question<T> question) throws AcmeFailure, InterruptedException {
        CaProvider provider = new CaProvider(client(), clock);
        Session session = new Session(settings.directory(), provider);
        session.networkSettings().setTimeout(settings.timeout());
        session.networkSettings().setCompressionEnabled(false);
        try {
            return question.ask(session, provider);
        } catch (IOException e) {
            throw storeFails(e);
        } catch (AcmeException | RuntimeException e) {
            throw failures.of(e, provider);
        }
    }

    private static AcmeFailure storeFails(IOException e) {
        return new AcmeFailure("The store of certificates fails: " + e.getMessage(), List.of(), null, e);
    }

    private synchronized HttpClient client() throws AcmeFailure {
        if (client == null) {
            client = CaHttp.client(settings);
        }
        return client;
    }
}
