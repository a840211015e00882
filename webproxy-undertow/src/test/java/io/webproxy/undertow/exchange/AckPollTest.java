package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.undertow.testing.OneIoThread;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
class AckPollTest {
    private static final String OURS = "0100007F:20FB 0200007F:E6B2";
    private static final String OTHER = "0100007F:20FB 0200007F:E6B3";

    @TempDir
    private Path directory;

    private static String line(int number, String key) {
        return "%4d: %s 01 00000000:00000000 01:000007C8 00000002     0        0 1574 2 0 100 0 0 10 0%n"
                .formatted(number, key);
    }

    @Test
    void connectionIsFoundAmongThoseOfOthersAndOneThatIsMissingHasGone() throws Exception {
        StringBuilder table = new StringBuilder("  sl  local_address rem_address   st\n");
        for (int i = 0; i < 1000; i++) {
            table.append(line(i, "0100007F:%04X 0200007F:E6B2".formatted(i)));
        }
        Path file = Files.writeString(directory.resolve("tcp"), table + line(1000, OURS));
        BlockingQueue<Object> answers = new LinkedBlockingQueue<>();
        try (OneIoThread io = OneIoThread.start()) {
            AckPoll poll = new AckPoll(List.of(file));
            poll.ask(OURS, io.thread(), row -> answers.add(row == null ? "gone" : row));
            assertThat(answers.poll(30, TimeUnit.SECONDS)).isEqualTo(new TcpTable.Row(OURS, 2, false));
            poll.ask(OTHER, io.thread(), row -> answers.add(row == null ? "gone" : row));
            assertThat(answers.poll(30, TimeUnit.SECONDS)).isEqualTo("gone");
        }
    }

    /** As one of a machine that has very many connections seems to be. */
    @Test
    void tableWithoutEndKeepsNoServerFromClosing() throws Exception {
        Path table = directory.resolve("tcp");
        assertThat(Peers.run(Duration.ofSeconds(30), "mkfifo", table.toString()).exitCode())
                .isZero();
        CountDownLatch read = new CountDownLatch(10_000);
        Thread kernel = new Thread(
                () -> {
                    try (OutputStream out = Files.newOutputStream(table)) {
                        for (int i = 0; ; i++) {
                            out.write(line(i, OTHER).getBytes(StandardCharsets.US_ASCII));
                            read.countDown();
                        }
                    } catch (IOException e) {
                        // the reader has gone
                    }
                },
                "kernel");
        kernel.start();
        try (OneIoThread io = OneIoThread.start()) {
            new AckPoll(List.of(table)).ask(OURS, io.thread(), row -> {});
            assertThat(read.await(30, TimeUnit.SECONDS)).isTrue();
        }
        await().until(() -> !kernel.isAlive());
    }

    /** A table that comes slowly, as on a busy machine, costs no more than another. */
    @Test
    void lookThatOnlyWaitsPutsOffNoOther() throws Exception {
        Path table = directory.resolve("tcp");
        assertThat(Peers.run(Duration.ofSeconds(30), "mkfifo", table.toString()).exitCode())
                .isZero();
        BlockingQueue<Object> answers = new LinkedBlockingQueue<>();
        try (OneIoThread io = OneIoThread.start()) {
            AckPoll poll = new AckPoll(List.of(table));
            for (int i = 0; i < 2; i++) {
                poll.ask(OURS, io.thread(), answers::add);
                try (OutputStream out = Files.newOutputStream(table)) {
                    await().pollDelay(Duration.ofMillis(i == 0 ? 600 : 0)).until(() -> true);
                    out.write(line(0, OURS).getBytes(StandardCharsets.US_ASCII));
                }
                assertThat(answers.poll(30, TimeUnit.SECONDS)).isEqualTo(new TcpTable.Row(OURS, 2, false));
                // a reader that is about to close it would get what the next one is to read
                await().until(() -> !isOpen(table));
            }
        }
    }

    private static boolean isOpen(Path file) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.anyMatch(descriptor -> {
                try {
                    return Files.readSymbolicLink(descriptor).equals(file.toRealPath());
                } catch (IOException e) {
                    // it was closed meanwhile
                    return false;
                }
            });
        }
    }
}
