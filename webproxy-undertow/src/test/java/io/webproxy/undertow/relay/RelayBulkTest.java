package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Much in both directions, and a side that doesn't read. */
@ExtendWith(LeakCheck.class)
class RelayBulkTest {
    private static final long MUCH = 64L << 20;
    private static final int PIECE = 64 * 1024;

    private static byte[] piece(long at) {
        byte[] bytes = new byte[PIECE];
        Arrays.fill(bytes, (byte) (at * 31 + (at >> 16)));
        return bytes;
    }

    private static long write(RawConnection to, AtomicLong written) throws IOException {
        CRC32 sum = new CRC32();
        while (written.get() < MUCH) {
            byte[] bytes = piece(written.get());
            sum.update(bytes);
            to.send(bytes);
            written.addAndGet(PIECE);
        }
        to.shutdownOutput();
        return sum.getValue();
    }

    private static long read(RawConnection from, AtomicLong got) throws IOException {
        CRC32 sum = new CRC32();
        byte[] bytes = new byte[PIECE];
        for (int count = from.read(bytes, PIECE); count >= 0; count = from.read(bytes, PIECE)) {
            sum.update(bytes, 0, count);
            got.addAndGet(count);
        }
        return sum.getValue();
    }

    private static long direct() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    @Test
    void sideThatDoesNotReadStopsTheOtherAndNothingElse() throws Exception {
        AtomicLong targetWrote = new AtomicLong();
        AtomicLong targetRead = new AtomicLong();
        CompletableFuture<Long> sentSum = new CompletableFuture<>();
        CompletableFuture<Long> readSum = new CompletableFuture<>();
        try (RawUpstream target = RawUpstream.start(c -> {
                    CompletableFuture<Long> reading = CompletableFuture.supplyAsync(() -> {
                        try {
                            return read(c, targetRead);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
                    sentSum.complete(write(c, targetWrote));
                    readSum.complete(reading.get(60, TimeUnit.SECONDS));
                });
                RelayHarness harness = new RelayHarness()) {
            long before = direct();
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                // the client sends all of its own, and reads nothing meanwhile
                long sum = write(client, new AtomicLong());
                await().until(() -> targetRead.get() == MUCH);
                AtomicLong last = new AtomicLong(-1);
                await().until(() -> last.getAndSet(targetWrote.get()) == targetWrote.get());
                assertThat(targetWrote.get()).as("sockets and one buffer").isLessThan(MUCH / 2);
                assertThat(direct() - before).isLessThan(4L << 20);
                AtomicLong got = new AtomicLong();
                assertThat(read(client, got)).isEqualTo(sentSum.get(60, TimeUnit.SECONDS));
                assertThat(got.get()).isEqualTo(MUCH);
                assertThat(readSum.get(60, TimeUnit.SECONDS)).isEqualTo(sum);
            }
            var record = harness.ended();
            assertThat(record.sent()).isEqualTo(MUCH);
            assertThat(record.received()).isEqualTo(MUCH);
            assertThat(target.failures()).isEmpty();
        }
    }
}
