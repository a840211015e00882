package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.route.OutlierEjection;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.DescriptorRooms;
import io.webproxy.undertow.deadline.Faults;
import java.net.SocketException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Throws in every step of a relay: each ends one relay, and nothing of it is left. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(contains = "Unexpected failure in")
class RelayFaultTest {
    @AfterEach
    void stop() {
        Faults.reset();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "opening a relay",
                "connecting to a target",
                "connecting to an upstream",
                "the end of a relay",
                "the record of a relay"
            })
    void throwEndsOneRelayAndTheOthersGoOn(String place) throws Exception {
        DescriptorRoom room = DescriptorRooms.of(10_000, () -> 100);
        AtomicInteger throwing = new AtomicInteger();
        try (RefusedPort refused = RefusedPort.open();
                RawUpstream target = RawUpstream.echoing("x");
                RelayHarness harness =
                        new RelayHarness(OutlierEjection.defaults(), System::nanoTime, room, List.of())) {
            int port = harness.listen(RelayHarness.to(refused.port(), target.port()));
            try (RawConnection other = RelayHarness.connect(port)) {
                assertThat(other.readLine()).isEqualTo("x\r\n");
                Faults.inject(step -> {
                    if (step.equals(place) && throwing.getAndIncrement() % 2 == 0) {
                        throw new AssertionError("injected");
                    }
                });
                for (int i = 0; i < 20; i++) {
                    try (RawConnection client = RelayHarness.connect(port)) {
                        client.send("y").shutdownOutput();
                        assertThat(client.readByte()).isIn((int) 'x', -1);
                    } catch (SocketException e) {
                        // this one was ended
                    }
                }
                await().until(() ->
                        harness.relays.open() == 1 && harness.status().open() == 1);
                assertThat(throwing.get()).as("places met").isPositive();
                Faults.reset();
                other.send("still there").shutdownOutput();
                assertThat(other.readAll()).isEqualTo("still thereend");
            }
            await().until(() -> harness.relays.open() == 0);
            assertThat(harness.status().open()).isZero();
        }
    }
}
