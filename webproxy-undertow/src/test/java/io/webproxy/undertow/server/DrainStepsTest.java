package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.route.OutlierEjection;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.relay.Relays;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class DrainStepsTest {
    @Test
    @ExpectedLog(logger = "io.webproxy.server", contains = "a port that can't be closed")
    void releaseIsReachedWhenPortsFailToClose() throws Exception {
        CountDownLatch released = new CountDownLatch(1);
        Exchanges exchanges = new Exchanges(List.of(), System::nanoTime, new Recorder(List.of(), null));
        Drain drain = new Drain(
                exchanges,
                new Relays(
                        exchanges::sweeper,
                        new DefaultByteBufferPool(true, 8192),
                        (host, port) -> {
                            throw new AssertionError("no relays");
                        },
                        exchanges.recorder(),
                        DescriptorRoom.unlimited(),
                        OutlierEjection::defaults),
                TunnelSidesForTests.none(exchanges.recorder()),
                new OpenConnections(DescriptorRoom.ofProcess(), System::nanoTime),
                () -> {
                    throw new StackOverflowError("a port that can't be closed");
                },
                released::countDown,
                Drain.REST);
        drain.start(Duration.ZERO);
        assertThat(released.await(30, TimeUnit.SECONDS)).isTrue();
    }
}
