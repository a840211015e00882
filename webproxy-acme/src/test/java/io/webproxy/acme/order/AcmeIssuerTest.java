package io.webproxy.acme.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.acme.ChallengeKind;
import io.webproxy.acme.DnsRecordPublisher;
import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.ca.CaHttp;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.ca.ExternalAccount;
import io.webproxy.acme.certificate.Keys;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.challenge.TxtRecord;
import io.webproxy.acme.testing.HeapStore;
import io.webproxy.acme.testing.TestCertificates;
import io.webproxy.acme.testing.TestResponder;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Pebble;
import io.webproxy.tls.KeyMaterial;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Orders at Pebble, a CA that is well. */
@ExtendWith(LeakCheck.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AcmeIssuerTest {
    private static final Wanted ONE = new Wanted(List.of("one.example.com"), "EC");

    private final HeapStore store = new HeapStore();
    private TestResponder responder;
    private Pebble pebble;

    @BeforeAll
    void start() throws Exception {
        responder = new TestResponder();
        pebble = new Pebble.Setup().authorizationReuse(0).start(responder.realHttpPort(), responder.realHttpsPort());
    }

    @AfterAll
    void stop() throws Exception {
        if (pebble != null) {
            pebble.close();
        }
        pebble = null; // Its HTTP client ends when nobody refers to it.
        responder.close();
    }

    @BeforeEach
    void allIsWell() {
        responder.http = true;
        responder.https = true;
        responder.wrong = false;
        responder.filesGiven.set(0);
        responder.certificatesGiven.set(0);
        for (String key : store.list("orders/")) {
            store.delete(key);
        }
    }

    private CaSettings settings() {
        return settings(pebble, List.of(), null);
    }

    static CaSettings settings(Pebble pebble, List<ChallengeKind> kinds, DnsRecordPublisher dns) {
        return new CaSettings(
                pebble.acmeDirectory(),
                List.of("ops@example.com"),
                Optional.empty(),
                Optional.empty(),
                kinds,
                Optional.ofNullable(dns),
                List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), pebble.dnsPort())),
                Optional.of(pebble.trust()),
                Duration.ofSeconds(10));
    }

    private AcmeIssuer issuer(CaSettings settings) {
        return new AcmeIssuer(settings, store, responder, Clock.systemUTC());
    }

    @Test
    void certificateIsForANewKeyEachTime() throws Exception {
        AcmeIssuer issuer = issuer(settings());
        Wanted wanted = new Wanted(List.of("one.example.com", "two.example.com"), "EC");
        KeyMaterial first = issuer.obtain(wanted, null);
        issuer.done(wanted);
        KeyMaterial second = issuer.obtain(wanted, first.leaf());
        KeyMaterial rsa = issuer.obtain(new Wanted(wanted.names(), "RSA"), null);

        assertThat(first.names()).containsExactlyInAnyOrder("one.example.com", "two.example.com");
        assertThat(first.chain()).hasSizeGreaterThan(1);
        assertThat(first.keyType()).isEqualTo("EC");
        assertThat(second.leaf().getPublicKey()).isNotEqualTo(first.leaf().getPublicKey());
        assertThat(rsa.keyType()).isEqualTo("RSA");
        assertThat(store.list("account/")).hasSize(1);
        assertThat(responder.certificates).isEmpty();
    }

    /** What a CAA record needs that allows this account alone. */
    @Test
    void addressOfTheAccountIsSaidOnce() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger("io.webproxy.acme");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        try {
            AcmeIssuer issuer = issuer(settings());
            issuer.obtain(ONE, null);
            issuer.done(ONE);
            issuer.obtain(ONE, null);
        } finally {
            logger.detachAppender(lines);
        }
        assertThat(lines.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .filteredOn(line -> line.startsWith("The account at the CA is https://"))
                .singleElement()
                .asString()
                .contains("/my-account/");
    }

    @Test
    void tlsIsTriedFirst() throws Exception {
        issuer(settings()).obtain(ONE, null);
        assertThat(responder.certificatesGiven).hasValue(1);
        assertThat(responder.filesGiven).hasValue(0);
    }

    @Test
    void httpIsTriedWhereThereIsNoTls() throws Exception {
        responder.https = false;
        issuer(settings()).obtain(ONE, null);
        assertThat(responder.certificatesGiven).hasValue(0);
        assertThat(responder.filesGiven).hasValue(1);
        assertThat(responder.files).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = ChallengeKind.class,
            names = {"HTTP_01", "TLS_ALPN_01"})
    void addressGetsACertificate(ChallengeKind kind) throws Exception {
        Wanted wanted = new Wanted(List.of("127.0.0.1", "::1"), "EC");
        KeyMaterial material = issuer(settings(pebble, List.of(kind), null)).obtain(wanted, null);
        assertThat(material.covers("127.0.0.1")).isTrue();
        assertThat(material.covers("::1")).isTrue();
    }

    @Test
    void attemptAfterAFailedOneBeginsWithTheNextKind() throws Exception {
        AcmeIssuer issuer = issuer(settings(pebble, List.of(ChallengeKind.HTTP_01, ChallengeKind.TLS_ALPN_01), null));
        responder.wrong = true;
        AcmeFailure failure = catchThrowableOfType(AcmeFailure.class, () -> issuer.obtain(ONE, null));
        assertThat(failure).hasMessageStartingWith("CA 127.0.0.1 has not seen control of one.example.com: http-01: ");
        assertThat(failure.problems()).hasSize(1);
        CertificateEvent.Problem problem = failure.problems().get(0);
        assertThat(problem.name()).isEqualTo("one.example.com");
        assertThat(problem.type()).startsWith("urn:ietf:params:acme:error:");
        assertThat(problem.detail()).isNotEmpty();
        assertThat(responder.files).isEmpty();

        assertThat(issuer.obtain(ONE, null).covers("one.example.com")).isTrue();
        assertThat(responder.certificatesGiven).hasValue(1);
    }

    @Test
    void wildcardNeedsTheDns() {
        Wanted wanted = new Wanted(List.of("*.example.com"), "EC");
        AcmeFailure failure =
                catchThrowableOfType(AcmeFailure.class, () -> issuer(settings()).obtain(wanted, null));
        assertThat(failure)
                .hasMessage(
                        "example.com: no challenge that the CA offers can be answered (offered: dns-01; possible here:"
                                + " none)");
    }

    @Test
    void wildcardAndItsBaseNeedTwoValuesOfOneRecord() throws Exception {
        Zone zone = new Zone();
        Wanted wanted = new Wanted(List.of("wild.example.com", "*.wild.example.com"), "EC");
        KeyMaterial material =
                issuer(settings(pebble, List.of(ChallengeKind.DNS_01), zone)).obtain(wanted, null);
        assertThat(material.names()).containsExactlyInAnyOrder("wild.example.com", "*.wild.example.com");
        assertThat(zone.most).isEqualTo(2);
        assertThat(zone.values).isEmpty();
    }

    @Test
    void recordIsWaitedFor() throws Exception {
        Zone zone = new Zone();
        zone.late = true;
        Wanted wanted = new Wanted(List.of("late.example.com"), "EC");
        KeyMaterial material =
                issuer(settings(pebble, List.of(ChallengeKind.DNS_01), zone)).obtain(wanted, null);
        zone.join();
        assertThat(material.covers("late.example.com")).isTrue();
    }

    @Test
    void publisherThatFailsIsNamed() {
        DnsRecordPublisher broken = new DnsRecordPublisher() {
            @Override
            public void publish(String recordName, String value) {
                throw new IllegalStateException("zone is locked");
            }

            @Override
            public void remove(String recordName, String value) {
                throw new IllegalStateException("zone is locked");
            }
        };
        // of a name that no other test has authorised: the CA uses authorisations again
        Wanted wanted = new Wanted(List.of("broken.example.com"), "EC");
        AcmeFailure failure = catchThrowableOfType(
                AcmeFailure.class,
                () -> issuer(settings(pebble, List.of(ChallengeKind.DNS_01), broken))
                        .obtain(wanted, null));
        assertThat(failure).hasMessage("_acme-challenge.broken.example.com: can't be published: zone is locked");
    }

    /** Where a process dies: with the order open, with it ready, with the certificate at hand. */
    @ParameterizedTest
    @ValueSource(strings = {"open", "ready", "issued"})
    void orderOfADeadProcessIsTakenUpAgain(String moment) throws Exception {
        AtomicBoolean dead = new AtomicBoolean();
        AcmeIssuer dying = new AcmeIssuer(settings(), store, dyingAt(moment, dead), Clock.systemUTC());
        KeyMaterial lost = null;
        try {
            lost = dying.obtain(ONE, null);
        } catch (Killed e) {
            assertThat(moment).isNotEqualTo("issued");
        }
        String order = order();

        KeyMaterial material = issuer(settings()).obtain(ONE, null);
        assertThat(material.covers("one.example.com")).isTrue();
        assertThat(order()).isEqualTo(order);
        if (lost != null) {
            assertThat(material.leaf()).isEqualTo(lost.leaf());
        }
        issuer(settings()).done(ONE);
        assertThat(store.list("orders/")).isEmpty();
    }

    private String order() {
        return new String(store.get("orders/one.example.com/EC").orElseThrow(), StandardCharsets.UTF_8);
    }

    private ChallengeResponder dyingAt(String moment, AtomicBoolean dead) {
        return new ChallengeResponder() {
            @Override
            public int httpPort() {
                return 0;
            }

            @Override
            public int httpsPort() {
                return responder.httpsPort();
            }

            @Override
            public Answer http(String token, String keyAuthorization) {
                throw new AssertionError("not offered");
            }

            @Override
            public Answer tlsAlpn(String name, KeyMaterial certificate) {
                if (moment.equals("open")) {
                    throw new Killed();
                }
                Answer answer = responder.tlsAlpn(name, certificate);
                return () -> {
                    answer.close();
                    if (moment.equals("ready")) {
                        throw new Killed();
                    }
                };
            }
        };
    }

    @Test
    void orderThatNobodyCalledDoneIsNoRenewal() throws Exception {
        AcmeIssuer issuer = issuer(settings());
        KeyMaterial first = issuer.obtain(ONE, null);
        KeyMaterial second = issuer.obtain(ONE, first.leaf());
        assertThat(second.leaf()).isNotEqualTo(first.leaf());
    }

    @Test
    void orderThatTheCaHasLostIsPlacedAnew() throws Exception {
        store.put(
                "orders/one.example.com/EC",
                ("CA: " + pebble.acmeDirectory() + "\nNames: one.example.com\nOrder: "
                                + pebble.acmeDirectory().resolve("/my-order/gone") + "\n"
                                + Keys.toPem(Keys.create("EC")))
                        .getBytes(StandardCharsets.UTF_8));
        assertThat(issuer(settings()).obtain(ONE, null).covers("one.example.com"))
                .isTrue();
    }

    @Test
    void revokedTwiceIsRevoked() throws Exception {
        AcmeIssuer issuer = issuer(settings());
        KeyMaterial material = issuer.obtain(ONE, null);
        assertThat(pebble.status(material.leaf(), CaHttp.client(settings()))).isEqualTo("Valid");
        issuer.revoke(material);
        issuer.revoke(material);
        assertThat(pebble.status(material.leaf(), CaHttp.client(settings()))).isEqualTo("Revoked");
    }

    @Test
    void caWithoutRenewalInformationHasNoWordOnIt() throws Exception {
        AcmeIssuer issuer = issuer(settings());
        assertThat(issuer.renewalWindow(issuer.obtain(ONE, null).leaf())).isEmpty();
    }

    @Test
    void nineNoncesOfTenAreRefused() throws Exception {
        try (Pebble picky =
                new Pebble.Setup().nonceReject(90).start(responder.realHttpPort(), responder.realHttpsPort())) {
            KeyMaterial material = issuer(settings(picky, List.of(), null)).obtain(ONE, null);
            assertThat(material.covers("one.example.com")).isTrue();
        }
    }

    @Test
    void accountIsBoundToAnExternalOneAndNamesThatItHasProvedAreKnown() throws Exception {
        String key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
        Pebble.Setup setup = new Pebble.Setup().externalAccount("kid-1", key).authorizationReuse(100);
        try (Pebble bound = setup.start(responder.realHttpPort(), responder.realHttpsPort())) {
            CaSettings without = settings(bound, List.of(), null);
            AcmeFailure failure = catchThrowableOfType(
                    AcmeFailure.class,
                    () -> new AcmeIssuer(without, new HeapStore(), responder, Clock.systemUTC()).obtain(ONE, null));
            assertThat(failure.problems())
                    .extracting(CertificateEvent.Problem::type)
                    .containsExactly("urn:ietf:params:acme:error:externalAccountRequired");
            CaSettings with = new CaSettings(
                    without.directory(),
                    without.contacts(),
                    Optional.of(new ExternalAccount("kid-1", key)),
                    Optional.empty(),
                    List.of(),
                    Optional.empty(),
                    List.of(),
                    without.trust(),
                    without.timeout());
            KeyMaterial first = issuer(with).obtain(ONE, null);
            assertThat(first.covers("one.example.com")).isTrue();
            assertThat(issuer(with).obtain(ONE, first.leaf()).leaf()).isNotEqualTo(first.leaf());
            assertThat(responder.certificatesGiven).hasValue(1);
        }
    }

    @Test
    void newestCaSuggestsWhenToRenewAndIssuesShortLivedForAddresses() throws Exception {
        try (Pebble newest = new Pebble.Setup().newest().start(responder.realHttpPort(), responder.realHttpsPort())) {
            AcmeIssuer issuer = issuer(settings(newest, List.of(), null));
            KeyMaterial name = issuer.obtain(ONE, null);
            issuer.done(ONE);
            Issuer.RenewalWindow window = issuer.renewalWindow(name.leaf()).orElseThrow();
            assertThat(window.start()).isBefore(window.end()).isBefore(name.notAfter());
            assertThat(window.askAgain()).isBetween(Duration.ofMinutes(1), Duration.ofDays(1));
            KeyMaterial renewed = issuer.obtain(ONE, name.leaf());
            issuer.done(ONE);
            // Replaced already: that one is refused, and ordered without.
            KeyMaterial again = issuer.obtain(ONE, name.leaf());
            assertThat(again.leaf()).isNotEqualTo(renewed.leaf());
            issuer.done(ONE);
            // Of somebody who writes no authority key into it: nothing to name it by.
            X509Certificate foreign = TestCertificates.issue(Instant.now(), Duration.ofDays(1), ONE.names())
                    .leaf();
            assertThat(issuer.obtain(ONE, foreign).leaf()).isNotEqualTo(again.leaf());

            KeyMaterial address = issuer.obtain(new Wanted(List.of("127.0.0.1"), "EC"), null);
            assertThat(lifetime(address)).isLessThan(Duration.ofDays(8));
        }
    }

    private static Duration lifetime(KeyMaterial material) {
        return Duration.between(material.leaf().getNotBefore().toInstant(), material.notAfter());
    }

    /** What happens to a process that is killed: nothing of ours runs any more. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    /** The DNS zone of Pebble's DNS server. */
    private final class Zone implements DnsRecordPublisher {
        final Set<TxtRecord> values = ConcurrentHashMap.newKeySet();
        int most;
        boolean late;
        Thread thread;

        @Override
        public void publish(String recordName, String value) throws Exception {
            values.add(new TxtRecord(recordName, value));
            most = Math.max(most, values.size());
            String json = "{\"host\": \"" + recordName + ".\", \"value\": \"" + value + "\"}";
            if (!late) {
                pebble.dns("set-txt", json);
                return;
            }
            Consumer<String> afterTheFirstQuestion = name -> {
                await().ignoreExceptions()
                        .until(() -> pebble.dns("dns-request-history", "{\"host\": \"" + recordName + "\"}")
                                .contains("\"Qtype\": 16"));
                try {
                    pebble.dns("set-txt", json);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            };
            thread = new Thread(() -> afterTheFirstQuestion.accept(recordName), "zone");
            thread.start();
        }

        void join() throws InterruptedException {
            thread.join();
        }

        @Override
        public void remove(String recordName, String value) throws Exception {
            values.remove(new TxtRecord(recordName, value));
            pebble.dns("clear-txt", "{\"host\": \"" + recordName + "\"}");
        }
    }
}
