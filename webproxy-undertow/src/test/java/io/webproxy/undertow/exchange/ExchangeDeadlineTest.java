package io.webproxy.undertow.exchange;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.DOWNLOAD;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutClassifier;
import io.webproxy.timeout.TimeoutPolicy;
import java.lang.reflect.Proxy;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The two limits, by times that the test makes; the classifier says what it is told to. */
class ExchangeDeadlineTest {
    private static final long START = Long.MAX_VALUE - 50;
    private static final RequestHead REQUEST = head(RequestHead.class, 0);

    private TimeoutClass asked = DEFAULT;
    private TimeoutClass answered = DEFAULT;
    private final TimeoutPolicy policy = TimeoutPolicy.defaults()
            .with(DEFAULT, Duration.ofMillis(1))
            .with(LONG, Duration.ofMillis(3))
            .with(DOWNLOAD, Duration.ofMillis(6))
            .withClassifier(new TimeoutClassifier() {
                @Override
                public TimeoutClass classify(RequestHead request) {
                    return asked;
                }

                @Override
                public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
                    return answered;
                }
            });
    private final ExchangeDeadline deadline = new ExchangeDeadline(START);

    private static <T> T head(Class<T> type, int status) {
        return type.cast(Proxy.newProxyInstance(
                ExchangeDeadlineTest.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().equals("status")) {
                        return status;
                    }
                    throw new AssertionError(method);
                }));
    }

    private static long millis(long count) {
        return START + count * 1_000_000;
    }

    private void respond(int status, TimeoutClass with) {
        answered = with;
        deadline.upgrade(head(ResponseHead.class, status));
    }

    @Test
    void thereIsNoneUntilAClassIsChosen() {
        assertThat(deadline.at()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void silenceIsCountedFromTheLastByteAlsoAcrossAnUpgrade() {
        deadline.choose(policy, REQUEST, "/");
        assertThat(deadline.at()).isEqualTo(millis(1));
        deadline.activity(millis(10));
        assertThat(deadline.at()).isEqualTo(millis(11));
        respond(200, DOWNLOAD);
        assertThat(deadline.at()).isEqualTo(millis(16));
        assertThat(deadline.startClass()).isEqualTo(DEFAULT);
        assertThat(deadline.timeoutClass()).isEqualTo(DOWNLOAD);
    }

    @Test
    void responseNeverDowngradesAndATieKeepsTheClass() {
        asked = DOWNLOAD;
        deadline.choose(policy.with(LONG, Duration.ofMillis(6)), REQUEST, "/");
        respond(200, DEFAULT);
        assertThat(deadline.timeoutClass()).isEqualTo(DOWNLOAD);
        respond(200, LONG);
        assertThat(deadline.timeoutClass()).isEqualTo(DOWNLOAD);
        respond(200, WEBSOCKET);
        assertThat(deadline.timeoutClass()).as("no limit is the longest").isEqualTo(WEBSOCKET);
        assertThat(deadline.at()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void webSocketHasItsOwnLimitEvenIfThatIsShorter() {
        asked = DOWNLOAD;
        deadline.choose(policy.with(WEBSOCKET, Duration.ofMillis(2)), REQUEST, "/");
        respond(101, WEBSOCKET);
        assertThat(deadline.timeoutClass()).isEqualTo(WEBSOCKET);
        assertThat(deadline.at()).isEqualTo(millis(2));
    }

    @Test
    void earlierOfTheTwoLimitsCounts() {
        deadline.choose(policy.withTotal(Duration.ofMillis(5)), REQUEST, "/");
        assertThat(deadline.at()).isEqualTo(millis(1));
        deadline.activity(millis(4));
        assertThat(deadline.at()).isEqualTo(millis(5));
        assertThat(deadline.isOverdue(millis(5) - 1)).isFalse();
        assertThat(deadline.isOverdue(millis(5))).isTrue();
        respond(200, WEBSOCKET);
        assertThat(deadline.at()).as("only the total is left").isEqualTo(millis(5));
        deadline.liftTotal();
        assertThat(deadline.at()).isEqualTo(Long.MAX_VALUE);
        assertThat(deadline.isOverdue(millis(1000))).isFalse();
    }

    @Test
    void ownAnswerIsNeverWithoutALimit() {
        deadline.choose(policy.with(DEFAULT, Duration.ZERO), REQUEST, "/");
        deadline.limitSilence();
        assertThat(deadline.at()).as("the operator wants none").isEqualTo(Long.MAX_VALUE);
        ExchangeDeadline download = new ExchangeDeadline(START);
        asked = DOWNLOAD;
        download.choose(policy.with(DOWNLOAD, Duration.ZERO), REQUEST, "/");
        download.limitSilence();
        assertThat(download.at()).isEqualTo(millis(1));
        assertThat(download.timeoutClass()).as("what the record shows").isEqualTo(DOWNLOAD);
    }

    @Test
    void firstByteHoldsUntilTheResponseAndTheClassAfterIt() {
        deadline.choose(policy.withFirstByte(Duration.ofMillis(10)), REQUEST, "/");
        assertThat(deadline.at()).isEqualTo(millis(10));
        deadline.activity(millis(5));
        assertThat(deadline.at()).isEqualTo(millis(15));
        respond(200, DEFAULT);
        assertThat(deadline.at()).isEqualTo(millis(6));
        ExchangeDeadline answered = new ExchangeDeadline(START);
        answered.choose(policy.withFirstByte(Duration.ofMillis(10)), REQUEST, "/");
        answered.limitSilence();
        assertThat(answered.at()).as("an answer of the proxy's own").isEqualTo(millis(1));
        ExchangeDeadline call = new ExchangeDeadline(START);
        call.choose(policy.withFirstByte(Duration.ofMillis(10)), REQUEST, "/");
        call.limitTotal(4_000_000);
        assertThat(call.at()).as("a call's deadline").isEqualTo(millis(4));
    }

    @Test
    void silenceOfEventsIsALimitOfItsOwn() {
        deadline.choose(
                policy.withEventSilence(Duration.ofMillis(2)).with(DEFAULT, Duration.ofMillis(5)), REQUEST, "/");
        assertThat(deadline.at()).as("before the stream").isEqualTo(millis(5));
        deadline.activity(millis(1));
        deadline.limitEventSilence(millis(1));
        assertThat(deadline.at()).isEqualTo(millis(3));
        deadline.activity(millis(3));
        assertThat(deadline.at()).isEqualTo(millis(3));
        deadline.event(millis(7));
        assertThat(deadline.at()).isEqualTo(millis(8));
        deadline.limitTotal(6_000_000);
        assertThat(deadline.at()).isEqualTo(millis(6));
    }

    @Test
    void totalOfOneExchangeCanBeLowerAndNeverHigherThanThePolicys() {
        deadline.choose(policy.with(DEFAULT, Duration.ZERO), REQUEST, "/");
        deadline.limitTotal(5_000_000);
        assertThat(deadline.at()).isEqualTo(millis(5));
        assertThat(deadline.isOverdue(millis(5))).isTrue();
        deadline.limitTotal(7_000_000);
        assertThat(deadline.at()).isEqualTo(millis(5));
        deadline.choose(policy.withTotal(Duration.ofMillis(2)), REQUEST, "/");
        deadline.limitTotal(5_000_000);
        assertThat(deadline.isOverdue(millis(2))).isTrue();
        deadline.choose(policy, REQUEST, "/");
        deadline.limitTotal(0);
        assertThat(deadline.isOverdue(millis(1))).isTrue();
        deadline.choose(policy.with(DEFAULT, Duration.ZERO), REQUEST, "/");
        deadline.limitTotal(Long.MAX_VALUE);
        assertThat(deadline.isOverdue(millis(1_000_000_000L))).isFalse();
        assertThat(deadline.at() - START).isPositive();
    }
}
