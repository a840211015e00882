package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a relay does with bytes and ends. */
@ExtendWith(LeakCheck.class)
class RelayTest {
    @Test
    void bytesGoBothWaysAndEachEndReachesTheOtherSide() throws Exception {
        try (RawUpstream target = RawUpstream.start(c -> {
                    assertThat(c.readAll()).isEqualTo("question");
                    c.send("answer").shutdownOutput();
                });
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("question").shutdownOutput();
                assertThat(client.readAll()).isEqualTo("answer");
            }
            RelayRecord record = harness.ended();
            assertThat(record.end()).isEqualTo(RelayEnd.CLOSED);
            assertThat(record.sent()).isEqualTo(8);
            assertThat(record.received()).isEqualTo(6);
            assertThat(record.target()).contains("127.0.0.1:" + target.port());
            assertThat(record.source()).isPresent();
            assertThat(record.rule()).contains("ssh");
            assertThat(record.endpoint()).isEqualTo("test");
            harness.isQuiet();
            await().untilAsserted(() -> assertThat(harness.status().total()).isEqualTo(1));
            await().untilAsserted(() -> assertThat(harness.status().open()).isZero());
            assertThat(target.failures()).isEmpty();
        }
    }

    @Test
    void targetMayEndFirstAndStillBeSentTo() throws Exception {
        CountDownLatch read = new CountDownLatch(1);
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.send("banner").shutdownOutput();
                    assertThat(c.readAll()).isEqualTo("late");
                    read.countDown();
                });
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                assertThat(client.readAll()).isEqualTo("banner");
                client.send("late").shutdownOutput();
                assertThat(read.await(30, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
            assertThat(target.failures()).isEmpty();
        }
    }

    @Test
    void resetOfEitherSideIsTheOthersReset() throws Exception {
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.send("x");
                    assertThat(c.end()).isEqualTo("reset");
                });
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.read(1);
                client.reset();
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLIENT_RESET);
            assertThat(target.failures()).isEmpty();
        }
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.read(1);
                    c.reset();
                });
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("x");
                assertThat(client.end()).isEqualTo("reset");
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.TARGET_RESET);
        }
    }
}
