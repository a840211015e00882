package io.webproxy.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(30)
class LineWriterTest {
    /** A disk in memory, which hangs until it is let go. */
    private static final class Disk implements LineWriter.Target {
        private final StringBuffer content = new StringBuffer();
        private final Semaphore turns = new Semaphore(0);
        private final CountDownLatch hangs = new CountDownLatch(1);
        private final CountDownLatch closed = new CountDownLatch(1);
        private final AtomicLong dropped = new AtomicLong();

        @Override
        public void append(ByteBuffer lines) {
            hangs.countDown();
            turns.acquireUninterruptibly();
            content.append(StandardCharsets.UTF_8.decode(lines));
        }

        @Override
        public void dropped(long lines) {
            dropped.addAndGet(lines);
        }

        @Override
        public void reopen() {
            content.append("reopened\n");
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    private final Disk disk = new Disk();

    @Test
    void linesAreWrittenInOrderAndTheLastOnesWhenItIsClosed() throws Exception {
        disk.turns.release(1_000_000);
        try (LineWriter writer = new LineWriter("test", disk)) {
            for (int i = 0; i < 100_000; i++) {
                writer.add(i + "é\n");
                if (i % 10_000 == 0) {
                    writer.flush();
                    assertThat(disk.content.toString()).endsWith(i + "é\n");
                }
            }
        }
        assertThat(disk.closed.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(disk.content.toString().split("\n")).hasSize(100_000).endsWith("99999é");
    }

    @Test
    void whoeverAddsNeverWaitsForADiskThatHangsAndWhatDoesNotFitIsCounted() throws Exception {
        String line = "x".repeat(1023) + "\n";
        try (LineWriter writer = new LineWriter("test", disk)) {
            writer.add("first\n");
            disk.hangs.await();
            for (int i = 0; i < 5_000; i++) {
                writer.add(line);
            }
            disk.turns.release(10);
            writer.flush();
            assertThat(disk.dropped).hasValue(5_000 - 4_096);
            assertThat(disk.content).hasSize("first\n".length() + 4_096 * 1024);
            writer.add("last\n");
        }
        assertThat(disk.content.toString()).endsWith("last\n");
    }

    @Test
    void itIsOpenedAnewWithoutALine() {
        disk.turns.release(1);
        try (LineWriter writer = new LineWriter("test", disk)) {
            writer.reopen();
            await().untilAsserted(() -> assertThat(disk.content.toString()).isEqualTo("reopened\n"));
            writer.add("line\n");
        }
        assertThat(disk.content.toString()).isEqualTo("reopened\nline\n");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.server", contains = "The test log is written more slowly than its lines come")
    void linesLostByASlowDiskAreReportedOnceUntilNoMoreAreLost() {
        LostLines lost = new LostLines("test log");
        long second = TimeUnit.SECONDS.toNanos(1);
        for (int i = 1; i < 20; i++) {
            lost.dropped(3, i * second / 10);
            lost.written(i * second / 10 + 1);
        }
        lost.written(3 * second);
        lost.end();
    }
}
