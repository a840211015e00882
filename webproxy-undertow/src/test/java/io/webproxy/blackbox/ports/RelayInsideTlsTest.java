package io.webproxy.blackbox.ports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.port.Sni;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestPort;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Relays whose client's side is TLS that ends here. */
@ExtendWith(LeakCheck.class)
class RelayInsideTlsTest {
    private static final String BANNER = "SSH-2.0-x¶";
    private static final int MUCH = 16 << 20;

    private final BlockingQueue<RelayRecord> records = new LinkedBlockingQueue<>();

    private TestPort start(TlsProvider provider, RawUpstream target) {
        return TestPort.start(
                provider,
                port -> port.tls(Sni.any(), inside -> inside.ssh(target.address())),
                config -> config.certificates(TestProxy.certificates()).observer(new ProxyObserver() {
                    @Override
                    public void relayEnded(RelayRecord relay) {
                        records.add(relay);
                    }
                }));
    }

    private RelayRecord ended() throws InterruptedException {
        RelayRecord record = records.poll(30, TimeUnit.SECONDS);
        assertThat(record).isNotNull();
        return record;
    }

    private static long write(RawConnection to) throws IOException {
        CRC32 sum = new CRC32();
        byte[] bytes = new byte[50_000];
        for (int sent = 0; sent < MUCH; sent += bytes.length) {
            Arrays.fill(bytes, (byte) (sent >> 8));
            sum.update(bytes);
            to.send(bytes);
        }
        return sum.getValue();
    }

    private static long read(RawConnection from) throws IOException {
        CRC32 sum = new CRC32();
        byte[] bytes = new byte[8192];
        int count;
        for (int left = (MUCH + 49_999) / 50_000 * 50_000; left > 0; left -= count) {
            count = from.read(bytes, Math.min(left, bytes.length));
            assertThat(count).isPositive();
            sum.update(bytes, 0, count);
        }
        return sum.getValue();
    }

    @Test
    void closeNotifyIsAHalfCloseAndTheAnswerStillComes() throws Exception {
        try (RawUpstream target = RawUpstream.start(c -> c.send("<" + c.readAll() + ">"));
                TestPort proxy = start(TlsProvider.JDK, target);
                RawConnection client = proxy.tls()) {
            client.send(BANNER + "question");
            ((SSLSocket) client.socket()).shutdownOutput();
            assertThat(client.readAll()).isEqualTo("<SSH-2.0-x\r\nquestion>");
            assertThat(ended().end()).isEqualTo(RelayEnd.CLOSED);
        }
    }

    /**
     * Conscrypt (the default) can't send after the other side's close_notify: the relay ends, and nothing of it goes
     * on.
     */
    @Test
    void closeNotifyEndsTheRelayWhereTlsCannotGoOn() throws Exception {
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.send("<" + c.readAll() + ">");
                    c.end();
                });
                TestPort proxy = start(TlsProvider.AUTO, target)) {
            assumeThat(proxy.server().status().tlsProvider()).isEqualTo("Conscrypt");
            try (RawConnection client = proxy.tls()) {
                client.send(BANNER);
                ((SSLSocket) client.socket()).shutdownOutput();
                assertThat(client.end()).isIn("end", "reset");
                assertThat(ended().end()).isIn(RelayEnd.CLIENT_RESET, RelayEnd.CLOSED);
            }
            await().untilAsserted(() -> assertThat(proxy.rule("tls/ssh").open()).isZero());
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void endAndResetOfTheTargetReachTheClient(TlsProvider provider) throws Exception {
        try (RawUpstream target = RawUpstream.start(c -> c.send("bye"));
                TestPort proxy = start(provider, target);
                RawConnection client = proxy.tls()) {
            client.send(BANNER);
            assertThat(client.readAll()).isEqualTo("bye");
        }
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.send("x").read(BANNER.length() + 1);
                    c.reset();
                });
                TestPort proxy = start(provider, target);
                RawConnection client = proxy.tls()) {
            client.send(BANNER);
            assertThat(client.read(1)).isEqualTo("x");
            assertThat(client.end()).isEqualTo("reset");
            records.clear();
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void muchGoesBothWaysAtOnce(TlsProvider provider) throws Exception {
        CompletableFuture<Long> targetRead = new CompletableFuture<>();
        CompletableFuture<Long> targetWrote = new CompletableFuture<>();
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.readLine();
                    Thread writer = new Thread(() -> targetWrote.completeAsync(() -> written(c)));
                    writer.start();
                    targetRead.complete(read(c));
                    targetWrote.get(30, TimeUnit.SECONDS);
                });
                TestPort proxy = start(provider, target);
                RawConnection client = proxy.tls()) {
            client.send(BANNER);
            CompletableFuture<Long> wrote = CompletableFuture.supplyAsync(() -> written(client));
            long read = read(client);
            assertThat(read).isEqualTo(targetWrote.get(30, TimeUnit.SECONDS));
            assertThat(targetRead.get(30, TimeUnit.SECONDS)).isEqualTo(wrote.get(30, TimeUnit.SECONDS));
        }
    }

    private static long written(RawConnection to) {
        try {
            return write(to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Neither a silent relay nor one that waits for its client keeps a thread busy. */
    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void relayThatWaitsTakesNoProcessorTime(TlsProvider provider) throws Exception {
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.readLine();
                    write(c);
                });
                TestPort proxy = start(provider, target);
                RawConnection client = proxy.tls()) {
            client.send(BANNER);
            client.read(1);
            long[] used = {ioTime()};
            await().pollInterval(Duration.ofMillis(200)).until(() -> {
                long before = used[0];
                used[0] = ioTime();
                return used[0] - before < TimeUnit.MILLISECONDS.toNanos(20);
            });
        }
    }

    private static long ioTime() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long all = 0;
        for (var info : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (info != null && info.getThreadName().contains("I/O")) {
                all += Math.max(0, threads.getThreadCpuTime(info.getThreadId()));
            }
        }
        return all;
    }
}
