package io.webproxy.undertow.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Sweeps;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/** By a clock whose hands the test turns. */
@ExtendWith(LeakCheck.class)
class IdleConnectionsTest {
    private final List<String> expired = new ArrayList<>();
    private XnioWorker worker;
    private Sweeper sweeper;
    private IdleConnections idle;
    private long now = Long.MAX_VALUE - 500;
    private long limit = 100;

    private final class Connection extends IdleConnections.Place {
        private final String name;

        Connection(String name) {
            this.name = name;
        }

        @Override
        void expired() {
            expired.add(name);
        }
    }

    @BeforeEach
    void start() throws Exception {
        worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.THREAD_DAEMON, true)
                        .getMap());
        sweeper = new Sweeper(worker.getIoThread(0), () -> now);
        idle = new IdleConnections(sweeper, () -> limit);
    }

    @AfterEach
    void stop() throws Exception {
        worker.shutdown();
        assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }

    private void onThread(Runnable steps) throws Exception {
        CompletableFuture.runAsync(steps, worker.getIoThread(0)).get(30, TimeUnit.SECONDS);
    }

    private void at(long time) {
        now = Long.MAX_VALUE - 500 + time;
        Sweeps.of(sweeper);
    }

    @Test
    void eachExpiresInItsOwnTime() throws Exception {
        Connection a = new Connection("a");
        Connection b = new Connection("b");
        Connection c = new Connection("c");
        onThread(() -> {
            idle.add(a);
            at(10);
            idle.add(b);
            at(20);
            idle.add(c);
            at(50);
            // a has had a request in between
            idle.remove(a);
            assertThat(a.isWaiting()).isFalse();
            idle.add(a);
            at(109);
            assertThat(expired).isEmpty();
            at(110);
            assertThat(expired).containsExactly("b");
            at(1000);
            assertThat(expired).containsExactly("b", "c", "a");
            assertThat(c.isWaiting()).isFalse();
        });
    }

    @Test
    void newLimitHoldsForThoseWhoWait() throws Exception {
        onThread(() -> {
            idle.add(new Connection("a"));
            at(50);
            assertThat(expired).isEmpty();
            limit = 40;
            at(51);
            assertThat(expired).containsExactly("a");
        });
    }

    @Test
    void oneThatIsTakenOutAnywhereLeavesTheOthers() throws Exception {
        List<Connection> all = List.of(new Connection("a"), new Connection("b"), new Connection("c"));
        onThread(() -> {
            for (int out = 0; out < all.size(); out++) {
                expired.clear();
                all.forEach(idle::add);
                idle.remove(all.get(out));
                idle.remove(all.get(out));
                now += 150;
                Sweeps.of(sweeper);
                assertThat(expired).hasSize(2).doesNotContain(all.get(out).name);
            }
            assertThat(idle.deadline()).isEqualTo(Long.MAX_VALUE);
        });
    }
}
