package io.webproxy.acme.renewal;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.order.Issuer;
import io.webproxy.acme.renewal.RenewalSchedule.Urgency;
import io.webproxy.acme.testing.TestCertificates;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RenewalScheduleTest {
    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final Duration HOUR = Duration.ofHours(1);

    private static StoredCertificate certificate(Duration lifetime) {
        return new StoredCertificate(TestCertificates.issue(NOW, lifetime, "example.com"), NOW);
    }

    private static Suggestion window(StoredCertificate certificate, Instant start, Instant end) {
        return Suggestion.of(certificate.material().leaf(), new Issuer.RenewalWindow(start, end, HOUR), NOW);
    }

    @ParameterizedTest
    @ValueSource(longs = {60, 160 * 3600, 47 * 86400, 90 * 86400, 397 * 86400})
    void withoutAWordOfTheCaTheLastThirdBegins(long seconds) {
        Duration lifetime = Duration.ofSeconds(seconds);
        Set<Instant> different = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            StoredCertificate certificate = certificate(lifetime);

            Instant at = RenewalSchedule.renewAt(certificate, null);

            assertThat(at)
                    .isBetween(
                            NOW.plus(lifetime.multipliedBy(2).dividedBy(3)),
                            NOW.plus(lifetime.multipliedBy(43).dividedBy(60)))
                    .isEqualTo(RenewalSchedule.renewAt(certificate, null));
            different.add(at);
        }
        assertThat(different).hasSizeGreaterThan(8);
    }

    @Test
    void aWindowOfTheCaCountsAndItsPointIsKept() {
        StoredCertificate certificate = certificate(Duration.ofDays(90));
        Instant start = NOW.plus(Duration.ofDays(40));
        Instant end = NOW.plus(Duration.ofDays(42));

        Instant at = RenewalSchedule.renewAt(certificate, window(certificate, start, end));

        assertThat(at).isBetween(start, end);
        Suggestion askedAgain = window(certificate, start, end).later(NOW.plus(Duration.ofDays(1)), HOUR);
        assertThat(RenewalSchedule.renewAt(certificate, askedAgain)).isEqualTo(at);
        Instant moved = RenewalSchedule.renewAt(certificate, window(certificate, start, end.plus(HOUR)));
        assertThat(moved).isNotEqualTo(at);
        StoredCertificate other = certificate(Duration.ofDays(90));
        assertThat(RenewalSchedule.renewAt(other, window(other, start, end))).isNotEqualTo(at);
    }

    @Test
    void pointsAreSpreadOverTheWindow() {
        List<Duration> points = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            StoredCertificate certificate = certificate(Duration.ofDays(90));
            Instant start = NOW.plus(Duration.ofDays(40));
            points.add(Duration.between(
                    start,
                    RenewalSchedule.renewAt(
                            certificate, window(certificate, start, start.plus(Duration.ofHours(100))))));
        }
        assertThat(points).anyMatch(point -> point.toHours() < 25).anyMatch(point -> point.toHours() > 75);
    }

    @Test
    void aWindowThatHasPassedMeansNowButNeverWithoutEnd() {
        StoredCertificate certificate = certificate(Duration.ofDays(90));

        Instant at = RenewalSchedule.renewAt(
                certificate, window(certificate, NOW.minus(Duration.ofDays(2)), NOW.minus(Duration.ofDays(1))));

        assertThat(at).isEqualTo(NOW.plus(Duration.ofHours(6)));
        StoredCertificate brief = certificate(Duration.ofHours(20));
        assertThat(RenewalSchedule.renewAt(brief, window(brief, NOW.minus(HOUR), NOW)))
                .isEqualTo(NOW.plus(HOUR));
    }

    @Test
    void aWindowAtTheEndOrBehindItDoesNotLetTheCertificateExpire() {
        StoredCertificate certificate = certificate(Duration.ofDays(100));
        Instant late = NOW.plus(Duration.ofDays(150));

        assertThat(RenewalSchedule.renewAt(certificate, window(certificate, late, late.plus(HOUR))))
                .isEqualTo(NOW.plus(Duration.ofDays(95)));
    }

    @Test
    void aWindowWithoutLengthOrOfAnotherCertificateDoesNotCount() {
        StoredCertificate certificate = certificate(Duration.ofDays(90));
        Instant usual = RenewalSchedule.renewAt(certificate, null);
        Instant start = NOW.plus(Duration.ofDays(10));

        assertThat(RenewalSchedule.renewAt(certificate, window(certificate, start, start)))
                .isEqualTo(usual);
        assertThat(RenewalSchedule.renewAt(certificate, window(certificate, start, start.minus(HOUR))))
                .isEqualTo(usual);
        assertThat(RenewalSchedule.renewAt(
                        certificate, window(certificate(Duration.ofDays(1)), start, start.plus(HOUR))))
                .isEqualTo(usual);
    }

    /** CAs write an hour that has passed into a certificate: of one that lives for minutes that is nearly all. */
    @Test
    void theLifetimeBeginsWhenTheCertificateWasIssued() {
        StoredCertificate certificate = new StoredCertificate(
                TestCertificates.issue(NOW.minus(HOUR), HOUR.plusSeconds(60), "example.com"), NOW);

        assertThat(RenewalSchedule.renewAt(certificate, null)).isBetween(NOW.plusSeconds(40), NOW.plusSeconds(43));
    }

    @ParameterizedTest
    @ValueSource(longs = {-90, 90})
    void aClockThatWasWrongWhenTheCertificateWasIssuedDoesNotMoveItsRenewal(long days) {
        StoredCertificate certificate = new StoredCertificate(
                TestCertificates.issue(NOW, Duration.ofDays(90), "example.com"), NOW.plus(Duration.ofDays(days)));

        assertThat(RenewalSchedule.renewAt(certificate, null))
                .isBetween(NOW.plus(Duration.ofDays(60)), NOW.plus(Duration.ofDays(65)));
    }

    @Test
    void urgencyGrowsTowardsTheEnd() {
        StoredCertificate certificate = certificate(Duration.ofDays(60));

        assertThat(RenewalSchedule.urgency(certificate, NOW.plus(Duration.ofDays(50))))
                .isEqualTo(Urgency.NONE);
        assertThat(RenewalSchedule.urgency(certificate, NOW.plus(Duration.ofDays(51))))
                .isEqualTo(Urgency.SOON);
        assertThat(RenewalSchedule.urgency(certificate, NOW.plus(Duration.ofHours(57 * 24 + 1))))
                .isEqualTo(Urgency.NOW);
        assertThat(RenewalSchedule.urgency(certificate, NOW.plus(Duration.ofDays(60))))
                .isEqualTo(Urgency.EXPIRED);
    }

    @Test
    void waitsAreShortAtFirstAndSixHoursInTheEndForThirtyDays() {
        List<Long> minutes = new ArrayList<>();
        Duration sum = Duration.ZERO;
        int failures = 0;
        while (RenewalSchedule.wait(failures + 1, null, 0).compareTo(Duration.ofDays(1)) < 0) {
            Duration wait = RenewalSchedule.wait(++failures, null, 0);
            minutes.add(wait.toMinutes());
            sum = sum.plus(wait);
        }

        assertThat(minutes)
                .startsWith(1L, 2L, 2L, 5L, 10L, 20L, 20L, 30L, 60L, 60L, 120L, 180L, 360L, 360L)
                .endsWith(360L)
                .isSorted();
        assertThat(sum).isBetween(Duration.ofDays(30), Duration.ofDays(31));
        assertThat(RenewalSchedule.wait(Integer.MAX_VALUE, null, 0)).isEqualTo(Duration.ofDays(1));
    }

    @Test
    void aQuarterOfAWaitIsRandom() {
        assertThat(RenewalSchedule.wait(5, null, 0.5)).isEqualTo(Duration.ofSeconds(675));
        assertThat(RenewalSchedule.wait(5, null, 1)).isEqualTo(Duration.ofSeconds(750));
    }

    @Test
    void whatTheCaAsksForIsTheLeastUpToSevenDays() {
        assertThat(RenewalSchedule.wait(1, Duration.ofHours(34), 0)).isEqualTo(Duration.ofHours(34));
        assertThat(RenewalSchedule.wait(5, Duration.ofMinutes(2), 0)).isEqualTo(Duration.ofMinutes(10));
        assertThat(RenewalSchedule.wait(1, Duration.ofDays(-3), 0)).isEqualTo(Duration.ofMinutes(1));
        assertThat(RenewalSchedule.wait(1, Duration.ofDays(3650), 0)).isEqualTo(Duration.ofDays(7));
    }

    @Test
    void aClockThatGoesBackDoesNotPutTheNextAttemptMonthsAway() {
        Failures failures = Failures.after(null, NOW, "no", NOW.plus(HOUR), 0);
        Instant before = NOW.minus(Duration.ofDays(90));

        assertThat(failures.at(before).next()).isEqualTo(before.plus(HOUR));
        assertThat(failures.at(before).count()).isEqualTo(1);
        assertThat(failures.at(NOW)).isEqualTo(failures);
        assertThat(failures.at(NOW.plus(Duration.ofDays(90)))).isEqualTo(failures);
    }

    @Test
    void progressIsKept() {
        StoredCertificate certificate = certificate(Duration.ofDays(90));
        List<String> names = List.of("example.com", "2001:db8::1");
        Failures failures = Failures.after(Failures.after(null, NOW, "no", null, 0), NOW, "a: b\nc", NOW.plus(HOUR), 0);
        Progress progress = Progress.none(names).with(failures).with(window(certificate, NOW, NOW.plus(HOUR)));

        assertThat(Progress.parse(progress.print(), names))
                .isEqualTo(progress.with(new Failures(2, failures.last(), failures.next(), "a: b c")));
        assertThat(Progress.parse(Progress.none(names).print(), names)).isEqualTo(Progress.none(names));
        assertThat(Progress.parse(progress.print(), List.of("example.com")))
                .as("for other names")
                .isEqualTo(Progress.none(List.of("example.com")));
    }

    @Test
    void damagedProgressIsNone() {
        List<String> names = List.of("example.com");
        Progress progress = Progress.none(names)
                .with(Failures.after(null, NOW, "no", null, 0))
                .with(window(certificate(Duration.ofDays(90)), NOW, NOW.plus(HOUR)));
        byte[] whole = progress.print();
        for (int at = 0; at < whole.length; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 2;
            assertThat(Progress.parse(damaged, names).names()).isEqualTo(names);
            assertThat(Progress.parse(java.util.Arrays.copyOf(whole, at), names).names())
                    .isEqualTo(names);
        }
    }

    @Test
    void aSuggestionIsAskedForAgainWithinADayAndAfterTheClockHasGoneBack() {
        StoredCertificate certificate = certificate(Duration.ofDays(90));
        Suggestion none = Suggestion.none(certificate.material().leaf(), NOW, Duration.ofDays(30));

        assertThat(none.isOld(NOW)).isFalse();
        assertThat(none.isOld(NOW.plus(Duration.ofHours(24)))).isTrue();
        assertThat(none.isOld(NOW.minusSeconds(1))).isTrue();
        assertThat(Suggestion.none(certificate.material().leaf(), NOW, Duration.ZERO)
                        .askAgain())
                .isEqualTo(NOW.plusSeconds(60));
    }
}
