package io.webproxy.acme.renewal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.order.Issuer;
import io.webproxy.acme.testing.FakeContext;
import io.webproxy.acme.testing.FakeIssuer;
import io.webproxy.acme.testing.ManualTime;
import io.webproxy.acme.testing.MemoryStore;
import io.webproxy.acme.testing.TestCertificates;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

@ExtendWith(LeakCheck.class)
class RenewalManagerTest {
    private static final Instant BEGIN = Instant.parse("2026-11-21T12:00:00Z");
    private static final Wanted WANTED = new Wanted(List.of("example.com"), "EC");
    /** Until what is served at a start is looked at. */
    private static final Duration FIRST_LOOK = Duration.ofSeconds(2);

    private static final String KEY = "certificates/example.com/EC";

    private final ManualTime time = new ManualTime(BEGIN);
    private final FakeIssuer issuer = new FakeIssuer(time);
    private final MemoryStore store = new MemoryStore();
    private final FakeContext context = new FakeContext(time);
    private final RenewalManager manager = manager(context, WANTED);

    private RenewalManager manager(FakeContext of, Wanted... wanted) {
        return new RenewalManager(issuer, store, List.of(wanted), of, time.clock(), () -> 0);
    }

    private KeyMaterial stored(Instant notBefore, Duration lifetime, String... names) {
        KeyMaterial material = TestCertificates.issue(notBefore, lifetime, names);
        store.values.put(KEY, new StoredCertificate(material, notBefore).print());
        return material;
    }

    private KeyMaterial inStore() throws Exception {
        return StoredCertificate.parse(store.values.get(KEY)).material();
    }

    private static KeyMaterial only(RenewalManager manager) {
        assertThat(manager.current()).hasSize(1);
        return manager.current().get(0);
    }

    private CertificateStatus status() {
        return manager.status().get(0);
    }

    @Test
    void obtainsWhatIsNotThereAfterTheStart() throws Exception {
        manager.start();
        assertThat(manager.current()).isEmpty();
        assertThat(issuer.orders).isEmpty();
        assertThat(status().notAfter()).isEmpty();

        time.run();

        KeyMaterial served = only(manager);
        assertThat(served.names()).containsExactly("example.com");
        assertThat(inStore().leaf()).isEqualTo(served.leaf());
        assertThat(inStore().key()).isEqualTo(served.key());
        assertThat(context.changes()).hasSize(1);
        assertThat(context.kinds()).containsExactly("obtained");
        assertThat(context.events().get(0).notAfter()).hasValue(BEGIN.plus(Duration.ofDays(90)));
        assertThat(status().issuer()).hasValue("CN=test CA");
        assertThat(status().notAfter()).hasValue(BEGIN.plus(Duration.ofDays(90)));
        assertThat(status().nextAttempt().orElseThrow())
                .isBetween(BEGIN.plus(Duration.ofDays(60)), BEGIN.plus(Duration.ofDays(65)));
        assertThat(status().lastError()).isEmpty();
        assertThat(store.locked).isEmpty();
    }

    @Test
    void servesWhatIsStoredAtOnceAndSpendsNothing() throws Exception {
        KeyMaterial kept = stored(BEGIN.minus(Duration.ofDays(30)), Duration.ofDays(90), "example.com");

        manager.start();

        assertThat(only(manager).leaf()).isEqualTo(kept.leaf());
        // nothing that costs a busy start anything
        time.pass(FIRST_LOOK.minusMillis(1));
        assertThat(issuer.windowsAsked).isZero();
        time.pass(Duration.ofDays(29));
        assertThat(issuer.windowsAsked).isPositive();
        assertThat(issuer.orders).isEmpty();
        assertThat(context.events()).isEmpty();
    }

    @Test
    void whatIsServedFromTheStartIsSaidOnce() throws Exception {
        stored(BEGIN.minus(Duration.ofDays(30)), Duration.ofDays(90), "example.com");
        Logger logger = (Logger) LoggerFactory.getLogger("io.webproxy.acme");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        try {
            manager.start();
            time.pass(Duration.ofDays(1));
        } finally {
            logger.detachAppender(lines);
        }
        assertThat(lines.list)
                .extracting(ILoggingEvent::toString)
                .containsExactly("[INFO] Serving the stored certificate for example.com of CN=test CA, valid until "
                        + BEGIN.plus(Duration.ofDays(60)));
    }

    @Test
    void renewsInTheLastThirdOnceAndTellsTheCaWhatItReplaces() throws Exception {
        manager.start();
        time.run();
        KeyMaterial first = only(manager);

        time.pass(Duration.ofDays(60));
        assertThat(issuer.orders).hasSize(1);
        time.pass(Duration.ofDays(5));

        assertThat(issuer.orders).hasSize(2);
        assertThat(issuer.replaced.get(1)).isEqualTo(first.leaf());
        assertThat(only(manager).leaf()).isNotEqualTo(first.leaf());
        assertThat(only(manager).key()).isNotEqualTo(first.key());
        assertThat(inStore().leaf()).isEqualTo(only(manager).leaf());
        assertThat(context.kinds()).containsExactly("obtained", "renewed");
        time.pass(Duration.ofDays(130));
        assertThat(issuer.orders).hasSize(4);
    }

    @Test
    void renewsShortLivedCertificatesInTime() throws Exception {
        issuer.lifetime = Duration.ofHours(160);
        manager.start();

        time.pass(Duration.ofDays(70));

        assertThat(issuer.orders).hasSizeBetween(15, 16);
        assertThat(context.kinds()).doesNotContain("expiring", "failed");
    }

    /** A certificate of today, which the CA wants renewed within ten hours from the tenth day on; when that is. */
    private Instant storedWithWindow() throws Exception {
        stored(BEGIN, Duration.ofDays(90), "example.com");
        Instant start = BEGIN.plus(Duration.ofDays(10));
        issuer.window = new Issuer.RenewalWindow(start, start.plus(Duration.ofHours(10)), Duration.ofHours(6));
        return start;
    }

    @Test
    void renewsWhenTheCaSuggestsIt() throws Exception {
        Instant start = storedWithWindow();
        // The next certificate has a window of its own.
        issuer.meanwhile = () -> issuer.window = null;
        manager.start();

        time.pass(Duration.ofDays(10));
        assertThat(issuer.orders).isEmpty();
        assertThat(issuer.windowsAsked).isBetween(39, 42);
        time.pass(Duration.ofHours(10));

        assertThat(issuer.orders).hasSize(1);
        assertThat(issuer.orders.get(0)).isBetween(start, start.plus(Duration.ofHours(10)));
    }

    @Test
    void aRestartDoesNotAskForTheWindowAgain() throws Exception {
        storedWithWindow();
        manager.start();
        time.pass(FIRST_LOOK);
        Instant chosen = status().nextAttempt().orElseThrow();
        manager.stop();

        RenewalManager next = manager(new FakeContext(time), WANTED);
        next.start();
        time.pass(FIRST_LOOK);

        assertThat(issuer.windowsAsked).isEqualTo(1);
        assertThat(next.status().get(0).nextAttempt()).hasValue(chosen);
    }

    @Test
    void aCaThatCanNotSayWhenIsAskedAgainAnHourLater() throws Exception {
        stored(BEGIN, Duration.ofDays(90), "example.com");
        issuer.failure = FakeIssuer.unreachable();
        manager.start();

        time.pass(Duration.ofMinutes(59));
        assertThat(issuer.windowsAsked).isEqualTo(1);
        time.pass(Duration.ofMinutes(5));
        assertThat(issuer.windowsAsked).isEqualTo(2);
        assertThat(context.events()).isEmpty();
    }

    @Test
    void whatTheCaHasSuggestedCountsWhileItCanNotSayMore() throws Exception {
        storedWithWindow();
        manager.start();
        time.pass(FIRST_LOOK);
        Instant chosen = status().nextAttempt().orElseThrow();

        issuer.failure = FakeIssuer.unreachable();
        time.pass(Duration.ofHours(9));

        assertThat(issuer.windowsAsked).isBetween(4, 5);
        assertThat(status().nextAttempt()).hasValue(chosen);
    }

    @Test
    @ExpectedLog(
            logger = "io.webproxy.acme",
            contains = "No certificate for example.com: no such name. Next attempt: 2026-11-21T12:01:00Z.")
    void aFailureIsSaidOnceAndTriedAgainLaterAndLater() throws Exception {
        issuer.failure = FakeIssuer.refused("no such name", null);
        manager.start();

        time.pass(Duration.ofMinutes(60));

        List<Long> minutes = issuer.orders.stream()
                .map(order -> Duration.between(BEGIN, order).toMinutes())
                .toList();
        assertThat(minutes).containsExactly(0L, 1L, 3L, 5L, 10L, 20L, 40L, 60L);
        assertThat(context.kinds()).hasSize(8).containsOnly("failed");
        CertificateEvent event = context.events().get(7);
        assertThat(event.problems()).extracting(CertificateEvent.Problem::name).containsExactly("example.com");
        assertThat(event.notAfter()).isEmpty();
        assertThat(status().lastError()).hasValue("no such name");
        assertThat(status().nextAttempt()).hasValue(time.now().plus(Duration.ofMinutes(30)));

        issuer.failure = null;
        time.pass(Duration.ofMinutes(30));
        assertThat(only(manager).names()).containsExactly("example.com");
        assertThat(status().lastError()).isEmpty();
        assertThat(context.kinds()).endsWith("obtained");
    }

    @Test
    @ExpectedLog(contains = "no such name")
    void aRestartDoesNotBeginTheWaitsAnew() throws Exception {
        issuer.failure = FakeIssuer.refused("no such name", null);
        manager.start();
        time.pass(Duration.ofMinutes(30));
        int orders = issuer.orders.size();
        assertThat(orders).isEqualTo(6);
        manager.stop();

        manager(new FakeContext(time), WANTED).start();
        time.pass(Duration.ofMinutes(9));
        assertThat(issuer.orders).hasSize(orders);
        time.pass(Duration.ofMinutes(1));
        assertThat(issuer.orders).hasSize(orders + 1);
        time.pass(Duration.ofMinutes(19));
        assertThat(issuer.orders).hasSize(orders + 1);
    }

    @Test
    @ExpectedLog(contains = "no such name")
    void otherNamesAreTriedAtOnce() throws Exception {
        issuer.failure = FakeIssuer.refused("no such name", BEGIN.plus(Duration.ofDays(2)));
        manager.start();
        time.run();
        manager.stop();
        issuer.failure = null;

        RenewalManager next =
                manager(new FakeContext(time), new Wanted(List.of("example.com", "www.example.com"), "EC"));
        next.start();
        time.run();

        assertThat(only(next).names()).containsExactlyInAnyOrder("example.com", "www.example.com");
    }

    @Test
    @ExpectedLog(contains = "too many")
    void theCaIsNotAskedBeforeItWantsToBe() throws Exception {
        issuer.failure = FakeIssuer.refused("too many", BEGIN.plus(Duration.ofHours(34)));
        manager.start();

        time.pass(Duration.ofHours(34).minusMinutes(1));
        assertThat(issuer.orders).hasSize(1);
        time.pass(Duration.ofMinutes(1));
        assertThat(issuer.orders).hasSize(2);
    }

    @Test
    @ExpectedLog(contains = "IllegalStateException: a defect")
    void aDefectOfTheIssuerIsAFailureAsOthers() throws Exception {
        issuer.defect = new IllegalStateException("a defect");
        manager.start();
        time.run();
        issuer.defect = null;
        time.pass(Duration.ofMinutes(1));

        assertThat(context.kinds()).containsExactly("failed", "obtained");
    }

    @Test
    @ExpectedLog(contains = "The CA can't be reached.")
    @ExpectedLog(
            contains = "The certificate for example.com expires soon, 2027-01-20T12:00:00Z: it could not be renewed.")
    @ExpectedLog(contains = "The certificate for example.com has expired and is still served")
    void whatCanNotBeRenewedIsServedOnAndSaidInSteps() throws Exception {
        KeyMaterial kept = stored(BEGIN, Duration.ofDays(60), "example.com");
        issuer.failure = FakeIssuer.unreachable();
        manager.start();

        time.pass(Duration.ofDays(65));

        assertThat(only(manager).leaf()).isEqualTo(kept.leaf());
        List<CertificateEvent> steps = context.told().stream()
                .filter(told -> told.method().equals("certificateExpiring"))
                .map(told -> told.as(CertificateEvent.class))
                .toList();
        assertThat(steps)
                .hasSize(3)
                .allSatisfy(step -> assertThat(step.notAfter()).hasValue(kept.notAfter()));
        assertThat(context.changes()).isEmpty();
    }

    @Test
    @ExpectedLog(contains = "has expired and is still served, 2026-11-20T12:00:00Z: it is being renewed.")
    void anExpiredCertificateIsServedUntilItIsRenewed() throws Exception {
        KeyMaterial kept = stored(BEGIN.minus(Duration.ofDays(61)), Duration.ofDays(60), "example.com");
        manager.start();
        assertThat(only(manager).leaf()).isEqualTo(kept.leaf());

        time.pass(FIRST_LOOK);

        assertThat(only(manager).notAfter()).isAfter(time.now());
        assertThat(context.kinds()).containsExactly("expiring", "renewed");
    }

    @Test
    void aCertificateThatMissesAWantedNameIsServedUntilItIsReplaced() throws Exception {
        KeyMaterial kept = stored(BEGIN, Duration.ofDays(90), "example.com");
        RenewalManager more = manager(context, new Wanted(List.of("example.com", "192.0.2.1"), "EC"));

        more.start();
        assertThat(only(more).leaf()).isEqualTo(kept.leaf());
        time.pass(FIRST_LOOK);

        assertThat(only(more).covers("192.0.2.1")).isTrue();
        assertThat(context.kinds()).containsExactly("renewed");
    }

    @Test
    void aCertificateWithMoreNamesThanWantedIsNoReasonToOrder() throws Exception {
        stored(BEGIN, Duration.ofDays(90), "example.com", "old.example.com");
        manager.start();
        time.pass(Duration.ofDays(1));

        assertThat(issuer.orders).isEmpty();
    }

    @Test
    @ExpectedLog(
            contains =
                    "What is stored as certificates/example.com/EC is damaged: it doesn't match its checksum: it isn't"
                            + " served")
    void whatIsDamagedIsNeverServed() throws Exception {
        stored(BEGIN, Duration.ofDays(90), "example.com");
        store.values.get(KEY)[600] ^= 4;

        manager.start();
        assertThat(manager.current()).isEmpty();
        time.run();

        assertThat(inStore().leaf()).isEqualTo(only(manager).leaf());
    }

    @Test
    @ExpectedLog(contains = "What is stored as certificates/example.com/EC is damaged")
    void whatGetsDamagedWhileItIsServedIsWrittenAgain() throws Exception {
        KeyMaterial kept = stored(BEGIN, Duration.ofDays(90), "example.com");
        manager.start();
        time.run();

        store.values.put(KEY, new byte[1]);
        time.pass(Duration.ofMinutes(11));

        assertThat(inStore().leaf()).isEqualTo(kept.leaf());
        assertThat(issuer.orders).isEmpty();
    }

    @Test
    void aStoreThatCanNotBeReadAtTheStartIsTheReasonNotToStart() {
        store.readable = false;

        assertThatThrownBy(manager::start)
                .isInstanceOf(IOException.class)
                .hasMessage("/store can't be read: permission denied.");
    }

    @Test
    void twoProcessesOrderOnce() throws Exception {
        FakeContext otherContext = new FakeContext(time);
        RenewalManager other = manager(otherContext, WANTED);
        manager.start();
        other.start();
        // The other one comes while this one asks.
        issuer.meanwhile = () -> {
            issuer.meanwhile = () -> {};
            time.run();
            assertThat(issuer.orders).as("asked meanwhile").hasSize(1);
        };
        time.run();
        assertThat(other.current()).isEmpty();

        time.pass(Duration.ofSeconds(15));

        assertThat(issuer.orders).hasSize(1);
        assertThat(only(other).leaf()).isEqualTo(only(manager).leaf());
        assertThat(otherContext.kinds()).containsExactly("obtained");
        time.pass(Duration.ofDays(65));
        assertThat(issuer.orders).hasSize(2);
        assertThat(only(other).leaf()).isEqualTo(only(manager).leaf());
        assertThat(otherContext.kinds()).containsExactly("obtained", "renewed");
    }

    @Test
    void whoGetsTheLockLooksIntoTheStoreFirst() throws Exception {
        manager.start();
        List<KeyMaterial> byOther = new ArrayList<>();
        store.beforeLock = () -> byOther.add(stored(BEGIN, Duration.ofDays(90), "example.com"));

        time.run();

        assertThat(issuer.orders).isEmpty();
        assertThat(only(manager).leaf()).isEqualTo(byOther.get(0).leaf());
        assertThat(store.locked).isEmpty();
    }

    @Test
    void whatAnotherProcessHasFailedAtIsNotTriedAtOnce() throws Exception {
        manager.start();
        store.beforeLock = () -> store.values.put(
                "renewals/example.com/EC",
                Progress.none(WANTED.names())
                        .with(Failures.after(null, BEGIN, "too many", BEGIN.plus(Duration.ofHours(2)), 0))
                        .print());

        time.pass(Duration.ofMinutes(119));
        assertThat(issuer.orders).isEmpty();
        assertThat(status().lastError()).hasValue("too many");
        time.pass(Duration.ofMinutes(6));
        assertThat(issuer.orders).hasSize(1);
    }

    @Test
    void aCertificateThatAnotherProcessHasRenewedIsServedSoon() throws Exception {
        stored(BEGIN, Duration.ofDays(90), "example.com");
        manager.start();
        time.run();

        KeyMaterial newer = stored(BEGIN.plusSeconds(60), Duration.ofDays(90), "example.com");
        time.pass(Duration.ofMinutes(5));
        assertThat(only(manager).leaf()).isEqualTo(newer.leaf());
        assertThat(context.kinds()).containsExactly("renewed");

        stored(BEGIN.minusSeconds(60), Duration.ofDays(90), "example.com");
        time.pass(Duration.ofMinutes(5));
        assertThat(only(manager).leaf()).as("not an older one").isEqualTo(newer.leaf());
    }

    @Test
    @ExpectedLog(
            contains =
                    "Certificates can't be kept, existing ones are still served: /store/probe can't be written: no space"
                            + " left")
    void aFullDiskIsSaidOnceServedOverAndTriedAgain() throws Exception {
        store.writable = false;
        manager.start();
        time.pass(Duration.ofHours(3));

        assertThat(issuer.orders).hasSize(1);
        KeyMaterial served = only(manager);
        assertThat(context.kinds()).containsExactly("obtained");
        assertThat(store.values).isEmpty();

        store.writable = true;
        time.pass(Duration.ofMinutes(5));

        assertThat(inStore().leaf()).isEqualTo(served.leaf());
        assertThat(issuer.orders).hasSize(1);
    }

    @Test
    @ExpectedLog(contains = "Certificates can't be kept, existing ones are still served: /store/probe can't be written")
    void storeThatCanNotBeWrittenIsSaidAtTheStart() throws Exception {
        stored(BEGIN.minus(Duration.ofDays(1)), Duration.ofDays(90), "example.com");
        store.writable = false;

        manager.start();

        assertThat(issuer.orders).isEmpty();
        assertThat(only(manager).names()).containsExactly("example.com");
    }

    @Test
    void probeOfTheStoreLeavesNothing() throws Exception {
        stored(BEGIN.minus(Duration.ofDays(1)), Duration.ofDays(90), "example.com");
        manager.start();
        assertThat(store.values).containsOnlyKeys("certificates/example.com/EC");
    }

    @Test
    @ExpectedLog(contains = "no such name")
    @ExpectedLog(contains = "Certificates can't be kept")
    void waitsGrowAlsoOnAFullDisk() throws Exception {
        issuer.failure = FakeIssuer.refused("no such name", null);
        manager.start();
        time.run();
        store.writable = false;

        time.pass(Duration.ofMinutes(60));

        assertThat(issuer.orders).hasSize(8);
    }

    @Test
    @ExpectedLog(contains = "Certificates can't be kept, existing ones are still served: /store/")
    @ExpectedLog(
            contains = "expires soon, 2027-01-20T12:00:00Z: it could not be renewed. /store/.locks can't be written")
    void withoutALockACertificateIsObtainedOnlyWhenItIsNeeded() throws Exception {
        KeyMaterial kept = stored(BEGIN, Duration.ofDays(60), "example.com");
        store.lockable = false;
        store.writable = false;
        manager.start();

        time.pass(Duration.ofDays(50));
        assertThat(issuer.orders).isEmpty();
        assertThat(only(manager).leaf()).isEqualTo(kept.leaf());
        assertThat(context.kinds()).containsOnly("failed");
        assertThat(status().lastError().orElseThrow()).contains("read-only");
        time.pass(Duration.ofHours(7));

        assertThat(issuer.orders).hasSize(1);
        assertThat(only(manager).notAfter()).isAfter(time.now());
    }

    @Test
    @ExpectedLog(contains = "has expired and is still served")
    @ExpectedLog(contains = "out of date by this machine's clock")
    void aClockThatJumpsForwardMakesNoStorm() throws Exception {
        manager.start();
        time.run();
        Duration jump = Duration.ofDays(90);

        time.jump(jump);
        issuer.ahead = jump.negated();
        time.pass(Duration.ofHours(23));
        assertThat(issuer.orders).hasSize(2);
        assertThat(only(manager).names()).containsExactly("example.com");
        time.jump(jump.negated());
        issuer.ahead = Duration.ZERO;
        time.pass(Duration.ofMinutes(6));
        assertThat(status().lastError()).isEmpty();

        time.pass(Duration.ofDays(59));
        assertThat(issuer.orders).hasSize(2);
        time.pass(Duration.ofDays(6));
        assertThat(issuer.orders).hasSize(3);
    }

    @Test
    void aClockThatJumpsBackSkipsNoRenewalOnceItIsRight() throws Exception {
        manager.start();
        time.pass(Duration.ofDays(50));

        time.jump(Duration.ofDays(-90));
        time.pass(Duration.ofDays(15));
        assertThat(issuer.orders).hasSize(1);
        time.jump(Duration.ofDays(90));
        time.pass(Duration.ofMinutes(6));

        assertThat(issuer.orders).hasSize(2);
        assertThat(context.kinds()).containsExactly("obtained", "renewed");
    }

    @Test
    @ExpectedLog(contains = "no such name")
    void aClockThatJumpsBackBetweenAttemptsDoesNotPutOffTheNext() throws Exception {
        time.jump(Duration.ofDays(90));
        issuer.failure = FakeIssuer.refused("no such name", null);
        manager.start();
        time.pass(Duration.ofMinutes(40));
        int orders = issuer.orders.size();

        time.jump(Duration.ofDays(-90));
        time.pass(Duration.ofMinutes(26));

        assertThat(issuer.orders).hasSize(orders + 1);
    }

    @Test
    @ExpectedLog(contains = "something else than was ordered")
    void whatWasNotOrderedIsNotServed() throws Exception {
        Issuer wrong = new Issuer() {
            @Override
            public void done(Wanted wanted) {}

            @Override
            public KeyMaterial obtain(Wanted wanted, java.security.cert.X509Certificate replaces) {
                return TestCertificates.issue(BEGIN, Duration.ofDays(90), "other.example");
            }

            @Override
            public java.util.Optional<RenewalWindow> renewalWindow(java.security.cert.X509Certificate certificate) {
                return java.util.Optional.empty();
            }

            @Override
            public void revoke(KeyMaterial certificate) {}
        };
        RenewalManager misled = new RenewalManager(wrong, store, List.of(WANTED), context, time.clock(), () -> 0);
        misled.start();
        time.run();

        assertThat(misled.current()).isEmpty();
        assertThat(context.kinds()).containsExactly("failed");
    }

    @Test
    void certificatesAreServedInTheOrderInWhichTheyAreWantedAndOthersStay() throws Exception {
        store.values.put("certificates/gone.example/EC", "x".getBytes(StandardCharsets.UTF_8));
        RenewalManager three = manager(
                context,
                new Wanted(List.of("b.example"), "EC"),
                new Wanted(List.of("a.example"), "EC"),
                new Wanted(List.of("c.example"), "EC"));
        three.start();
        time.run();

        assertThat(three.current())
                .extracting(material -> material.names().iterator().next())
                .containsExactly("b.example", "a.example", "c.example");
        assertThat(three.status()).extracting(CertificateStatus::names).hasSize(3);
        assertThat(store.values.get("certificates/gone.example/EC")).containsExactly('x');
    }

    @Test
    void aStopInterruptsWhoAsksAndRecordsNoFailure() throws Exception {
        issuer.meanwhile = manager::stop;
        manager.start();

        time.run();

        Thread.interrupted();
        assertThat(context.events()).isEmpty();
        assertThat(store.values).isEmpty();
        assertThat(store.locked).isEmpty();
        assertThat(time.waiting()).isZero();
        manager.stop();
    }

    @Test
    void nothingHappensAfterAStop() throws Exception {
        manager.start();
        manager.stop();

        time.pass(Duration.ofDays(1));

        assertThat(issuer.orders).isEmpty();
        assertThat(time.waiting()).isZero();
    }
}
