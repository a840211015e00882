package io.webproxy.timeout;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.DOWNLOAD;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.http.PlainRequest;
import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimeoutPolicyTest {
    private static final TimeoutPolicy DEFAULTS = TimeoutPolicy.defaults();

    @Test
    void defaultsAreThoseOfTheDesign() {
        assertThat(DEFAULTS.idle(DEFAULT)).isEqualTo(Duration.ofSeconds(60));
        assertThat(DEFAULTS.idle(LONG)).isEqualTo(Duration.ofMinutes(10));
        assertThat(DEFAULTS.idle(DOWNLOAD)).isEqualTo(Duration.ofMinutes(30));
        assertThat(DEFAULTS.idle(WEBSOCKET)).isZero();
        assertThat(DEFAULTS.connect()).isEqualTo(Duration.ofSeconds(5));
        assertThat(DEFAULTS.firstByte()).as("the class holds for both").isZero();
        assertThat(DEFAULTS.eventSilence()).isZero();
        assertThat(DEFAULTS.total()).as("it would cut healthy transfers").isZero();
        assertThat(DEFAULTS.classifier()).isSameAs(TimeoutClassifier.standard());
    }

    @ParameterizedTest
    @CsvSource({
        "DEFAULT, LONG, LONG",
        "DEFAULT, DOWNLOAD, DOWNLOAD",
        "DEFAULT, WEBSOCKET, WEBSOCKET",
        "LONG, DEFAULT, LONG",
        "LONG, DOWNLOAD, DOWNLOAD",
        "DOWNLOAD, LONG, DOWNLOAD",
        "DOWNLOAD, DEFAULT, DOWNLOAD",
        "DOWNLOAD, WEBSOCKET, WEBSOCKET",
        "WEBSOCKET, DEFAULT, WEBSOCKET",
        "WEBSOCKET, LONG, WEBSOCKET",
        "WEBSOCKET, DOWNLOAD, WEBSOCKET"
    })
    void longerClassWins(TimeoutClass current, TimeoutClass other, TimeoutClass longer) {
        assertThat(DEFAULTS.longer(current, other)).isEqualTo(longer);
    }

    @Test
    void tieKeepsTheCurrentClass() {
        TimeoutPolicy policy = DEFAULTS.with(LONG, Duration.ofMinutes(30)).with(DOWNLOAD, Duration.ofSeconds(1800));

        assertThat(policy.longer(LONG, DOWNLOAD)).isEqualTo(LONG);
        assertThat(policy.longer(DOWNLOAD, LONG)).isEqualTo(DOWNLOAD);
        for (TimeoutClass same : TimeoutClass.values()) {
            assertThat(DEFAULTS.longer(same, same)).isEqualTo(same);
        }
    }

    @Test
    void twoClassesWithoutLimitAreATie() {
        TimeoutPolicy policy = DEFAULTS.with(DEFAULT, Duration.ZERO);

        assertThat(policy.longer(DEFAULT, WEBSOCKET)).isEqualTo(DEFAULT);
        assertThat(policy.longer(WEBSOCKET, DEFAULT)).isEqualTo(WEBSOCKET);
        assertThat(policy.longer(LONG, DEFAULT)).isEqualTo(DEFAULT);
    }

    @Test
    void durationsAreComparedNotTheOrderOfTheClasses() {
        TimeoutPolicy policy = DEFAULTS.with(DEFAULT, Duration.ofHours(1)).with(WEBSOCKET, Duration.ofSeconds(1));

        assertThat(policy.longer(DEFAULT, DOWNLOAD)).isEqualTo(DEFAULT);
        assertThat(policy.longer(WEBSOCKET, LONG)).isEqualTo(LONG);
        assertThat(policy.longer(LONG, WEBSOCKET)).isEqualTo(LONG);
    }

    @Test
    void longerNeverDowngrades() {
        for (TimeoutClass current : TimeoutClass.values()) {
            for (TimeoutClass other : TimeoutClass.values()) {
                Duration before = DEFAULTS.idle(current);
                Duration after = DEFAULTS.idle(DEFAULTS.longer(current, other));
                assertThat(after.isZero() || (!before.isZero() && after.compareTo(before) >= 0))
                        .as("%s then %s", current, other)
                        .isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-0.000000001S", "PT-1S", "PT0.000000001S", "PT0.000999999S", "PT87600H0.001S"})
    void limitOutOfRangeIsRefusedWithItsClass(Duration limit) {
        String range = limit + " (expected: 0 for no limit, or 1 ms to 3650 days)";

        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.with(LONG, limit))
                .withMessage("timeouts.LONG: " + range);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.withConnect(limit))
                .withMessage("timeouts.connect: " + range);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.withTotal(limit))
                .withMessage("timeouts.total: " + range);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.withFirstByte(limit))
                .withMessage("timeouts.firstByte: " + range);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.withEventSilence(limit))
                .withMessage("timeouts.eventSilence: " + range);
    }

    @Test
    void hugeDurationIsRefusedWithoutOverflow() {
        Duration huge = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);

        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.with(LONG, huge));
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.with(LONG, huge.negated()));
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.withTotal(huge));
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.withTotal(huge.negated()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT0.001S", "PT87600H"})
    void limitsOfTheRangeAreAllowed(Duration limit) {
        assertThat(DEFAULTS.with(DEFAULT, limit).idle(DEFAULT)).isEqualTo(limit);
        assertThat(DEFAULTS.withConnect(limit).connect()).isEqualTo(limit);
        assertThat(DEFAULTS.withTotal(limit).total()).isEqualTo(limit);
        assertThat(DEFAULTS.withFirstByte(limit).firstByte()).isEqualTo(limit);
        assertThat(DEFAULTS.withEventSilence(limit).eventSilence()).isEqualTo(limit);
    }

    @Test
    void limitsOfStreamsAreKeptByTheOtherMethodsAndCanBeTakenBack() {
        Duration second = Duration.ofSeconds(1);
        Duration minute = Duration.ofMinutes(1);
        TimeoutPolicy policy = DEFAULTS.withFirstByte(minute)
                .withEventSilence(second)
                .with(LONG, Duration.ofHours(1))
                .withConnect(second)
                .withTotal(Duration.ofHours(2))
                .plusLongPaths("/think");

        assertThat(policy.firstByte()).isEqualTo(minute);
        assertThat(policy.eventSilence()).isEqualTo(second);
        assertThat(policy.total()).isEqualTo(Duration.ofHours(2));
        assertThat(policy.connect()).isEqualTo(second);
        assertThat(policy.withFirstByte(Duration.ZERO).firstByte()).isZero();
        assertThat(policy.withFirstByte(Duration.ZERO).eventSilence()).isEqualTo(second);
        assertThat(policy.withEventSilence(Duration.ZERO).eventSilence()).isZero();
        assertThat(policy.withEventSilence(Duration.ZERO).firstByte()).isEqualTo(minute);
    }

    @Test
    void totalIsKeptByTheOtherMethodsAndCanBeTakenBack() {
        Duration hour = Duration.ofHours(1);
        TimeoutPolicy policy = DEFAULTS.withTotal(hour);

        assertThat(policy.with(LONG, Duration.ofSeconds(1)).total()).isEqualTo(hour);
        assertThat(policy.withConnect(Duration.ofSeconds(1)).total()).isEqualTo(hour);
        assertThat(policy.plusLongPaths("/think").total()).isEqualTo(hour);
        assertThat(policy.withTotal(Duration.ZERO).total()).isZero();
        assertThat(policy.total()).isEqualTo(hour);
        assertThat(DEFAULTS.total()).isZero();
    }

    @Test
    void totalChangesNothingElse() {
        TimeoutPolicy before = DEFAULTS.with(LONG, Duration.ofMinutes(20)).withConnect(Duration.ofSeconds(1));
        TimeoutPolicy after = before.withTotal(Duration.ofHours(1));

        for (TimeoutClass timeoutClass : TimeoutClass.values()) {
            assertThat(after.idle(timeoutClass)).isEqualTo(before.idle(timeoutClass));
        }
        assertThat(after.connect()).isEqualTo(before.connect());
        assertThat(after.classifier()).isSameAs(before.classifier());
    }

    @Test
    void withChangesACopyAndOneValueOnly() {
        TimeoutClassifier none = new TimeoutClassifier() {
            @Override
            public TimeoutClass classify(RequestHead request) {
                return DEFAULT;
            }

            @Override
            public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
                return current;
            }
        };
        TimeoutPolicy policy = DEFAULTS.with(LONG, Duration.ofMinutes(20))
                .withConnect(Duration.ofSeconds(1))
                .withClassifier(none);

        assertThat(policy.idle(LONG)).isEqualTo(Duration.ofMinutes(20));
        assertThat(policy.idle(DOWNLOAD)).isEqualTo(Duration.ofMinutes(30));
        assertThat(policy.connect()).isEqualTo(Duration.ofSeconds(1));
        assertThat(policy.classifier()).isSameAs(none);
        assertThat(DEFAULTS.idle(LONG)).isEqualTo(Duration.ofMinutes(10));
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.with(null, Duration.ZERO))
                .withMessage("timeoutClass");
        assertThatNullPointerException().isThrownBy(() -> DEFAULTS.idle(null)).withMessage("timeoutClass");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withClassifier(null))
                .withMessage("classifier");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withConnect(null))
                .withMessage("limit");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withTotal(null))
                .withMessage("limit");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withFirstByte(null))
                .withMessage("limit");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withEventSilence(null))
                .withMessage("limit");
    }

    private static RequestHead request(String path) {
        return new PlainRequest() {
            @Override
            public String path() {
                return path;
            }

            @Override
            public List<String> headers(String name) {
                return List.of();
            }
        };
    }

    @Test
    void listsAreThoseOfTheStandardClassifier() {
        TimeoutPolicy policy = TimeoutPolicy.defaults()
                .plusLongPaths("/think")
                .plusLongTypes("text/slow")
                .plusDownloadSegments("blobs")
                .plusDownloadExtensions("npz");
        assertThat(policy.classifier().classify(request("/think"))).isEqualTo(TimeoutClass.LONG);
        assertThat(policy.classifier().classify(request("/generate"))).isEqualTo(TimeoutClass.LONG);
        assertThat(policy.classifier().classify(request("/blobs/1"))).isEqualTo(TimeoutClass.DOWNLOAD);
        assertThat(policy.classifier().classify(request("/a.npz"))).isEqualTo(TimeoutClass.DOWNLOAD);
        TimeoutPolicy replaced = policy.withLongPaths(List.of("/ponder"))
                .withLongTypes(Set.of())
                .withDownloadSegments(Set.of())
                .withDownloadExtensions(Set.of());
        assertThat(replaced.classifier().classify(request("/ponder"))).isEqualTo(TimeoutClass.LONG);
        for (String path : List.of("/think", "/blobs/1", "/a.npz")) {
            assertThat(replaced.classifier().classify(request(path))).isEqualTo(TimeoutClass.DEFAULT);
        }
        assertThat(replaced.withClassifier(TimeoutClassifier.standard())
                        .classifier()
                        .classify(request("/think")))
                .isEqualTo(TimeoutClass.DEFAULT);
    }

    @Test
    void listsOfAClassifierOfOnesOwnAreNoSilentNothing() {
        TimeoutPolicy own = TimeoutPolicy.defaults().withClassifier(new TimeoutClassifier() {
            @Override
            public TimeoutClass classify(RequestHead request) {
                return TimeoutClass.LONG;
            }

            @Override
            public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
                return current;
            }
        });
        assertThatThrownBy(() -> own.plusLongPaths("/think"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("classifier: one of your own");
    }
}
