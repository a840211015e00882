package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.ChannelPipe;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** Sweeps by a clock whose hands the test turns, on an IO thread of its own. */
@ExtendWith(LeakCheck.class)
class SweeperTest {
    private final List<String> events = new ArrayList<>();
    private XnioWorker worker;
    private Sweeper sweeper;
    private long now = Long.MAX_VALUE - 500;

    @BeforeEach
    void start() throws Exception {
        Faults.reset();
        worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.THREAD_DAEMON, true)
                        .getMap());
        XnioIoThread thread = worker.getIoThread(0);
        sweeper = new Sweeper(thread, () -> now);
    }

    @AfterEach
    void stop() throws Exception {
        worker.shutdown();
        assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }

    private interface Steps {
        void run() throws Exception;
    }

    private void onTheThread(Steps steps) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        sweeper.thread().execute(() -> {
            try {
                steps.run();
                done.complete(null);
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        done.get(30, TimeUnit.SECONDS);
    }

    /** Writes down what it is told; forgotten when it expires. */
    private class Wait extends Watched {
        private final String name;
        private final long deadline;

        Wait(String name, long deadline) {
            this.name = name;
            this.deadline = deadline;
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void seen(long at) {
            events.add(name + " seen");
        }

        @Override
        protected void expired(long at) {
            events.add(name + " expired");
            sweeper.forget(this);
        }

        @Override
        protected void cut() {
            events.add(name + " cut");
            sweeper.forget(this);
        }
    }

    /** Also where the clock's nanoseconds overflow in between. */
    @Test
    void whatIsDueExpiresAndTheRestIsSeen() throws Exception {
        onTheThread(() -> {
            sweeper.watch(new Wait("soon", now + 400));
            sweeper.watch(new Wait("later", now + 1000));
            sweeper.watch(new Wait("never", Long.MAX_VALUE));
            sweeper.sweep();
            assertThat(events).containsExactlyInAnyOrder("soon seen", "later seen", "never seen");
            events.clear();
            now += 400;
            sweeper.sweep();
            assertThat(events).containsExactlyInAnyOrder("soon expired", "later seen", "never seen");
            events.clear();
            now += 600;
            sweeper.sweep();
            assertThat(events).containsExactlyInAnyOrder("later expired", "never seen");
            sweeper.cutAll();
        });
    }

    @Test
    void endsWithinASweepLeaveTheOthersAlone() throws Exception {
        onTheThread(() -> {
            Wait victim = new Wait("victim", now + 1000);
            sweeper.watch(victim);
            sweeper.watch(new Wait("first", now + 1) {
                @Override
                protected void expired(long at) {
                    super.expired(at);
                    sweeper.forget(victim);
                    sweeper.watch(new Wait("new", at + 1));
                }
            });
            sweeper.watch(new Wait("other", now + 1));
            now += 1;
            sweeper.sweep();
            assertThat(events).contains("first expired", "other expired").doesNotContain("victim seen");
            events.clear();
            now += 1;
            sweeper.sweep();
            assertThat(events).containsExactly("new expired");
        });
    }

    @Test
    @ExpectedLog(contains = "Unexpected failure in a sweep")
    void oneThatThrowsDoesNotStopTheSweep() throws Exception {
        onTheThread(() -> {
            sweeper.watch(new Wait("good", now + 1));
            sweeper.watch(new Wait("bad", now + 1) {
                @Override
                protected void expired(long at) {
                    sweeper.forget(this);
                    throw new IllegalStateException("bad");
                }
            });
            now += 1;
            sweeper.sweep();
            assertThat(events).containsExactly("good expired");
        });
    }

    @Test
    void cutEndsAllThatIsWatched() throws Exception {
        onTheThread(() -> {
            sweeper.watch(new Wait("one", Long.MAX_VALUE));
            sweeper.watch(new Wait("two", now + 1));
            sweeper.cutAll();
            assertThat(events).containsExactlyInAnyOrder("one cut", "two cut");
            events.clear();
            now += 10;
            sweeper.sweep();
            assertThat(events).isEmpty();
        });
    }

    @Test
    void threadThatWasHeldUpHearsOfItsSocketsBeforeALimitEnds() throws Exception {
        ChannelPipe<StreamConnection, StreamConnection> pipe = sweeper.thread().createFullDuplexPipeConnection();
        CompletableFuture<Void> ended = new CompletableFuture<>();
        try {
            onTheThread(() -> {
                pipe.getLeftSide().getSourceChannel().setReadListener(channel -> {
                    events.add("bytes");
                    channel.suspendReads();
                });
                pipe.getLeftSide().getSourceChannel().resumeReads();
                sweeper.watch(new Wait("limit", now) {
                    @Override
                    protected void expired(long at) {
                        events.add("limit");
                        sweeper.forget(this);
                        ended.complete(null);
                    }
                });
                pipe.getRightSide().getSinkChannel().write(ByteBuffer.wrap(new byte[1]));
                long start = System.nanoTime();
                while (System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(400)) {
                    Thread.onSpinWait();
                }
            });
            ended.get(30, TimeUnit.SECONDS);
            onTheThread(() -> assertThat(events).containsExactly("bytes", "limit"));
        } finally {
            IoUtils.safeClose(pipe.getLeftSide());
            IoUtils.safeClose(pipe.getRightSide());
        }
    }
}
