package io.webproxy.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.testing.Told;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AsyncObserverTest {
    private static final int WAIT_SECONDS = 10;

    /** Keeps what it is told; waits for the gate before it returns. */
    private static final class Gated implements ProxyObserver {
        final CountDownLatch entered = new CountDownLatch(1);
        final CountDownLatch gate = new CountDownLatch(1);
        final BlockingQueue<String> seen = new LinkedBlockingQueue<>();

        @Override
        public void exchangeEnded(ExchangeRecord exchange) {
            entered.countDown();
            try {
                assertThat(gate.await(WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            seen.add(exchange.path());
        }

        List<String> take(int count) throws InterruptedException {
            List<String> taken = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                taken.add(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS));
            }
            return taken;
        }
    }

    @Test
    void slowObserverNeverHoldsTheCallerAndWhatFindsTheQueueFullIsDroppedAndCounted() throws InterruptedException {
        Gated slow = new Gated();
        ProxyObserver async = ProxyObserver.async(slow, 2);
        async.exchangeEnded(Records.ofPath("/0"));
        assertThat(slow.entered.await(WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        for (int i = 1; i <= 7; i++) {
            async.exchangeEnded(Records.ofPath("/" + i));
        }
        assertThat(async.dropped()).isEqualTo(5);
        slow.gate.countDown();

        assertThat(slow.take(3)).containsExactly("/0", "/1", "/2");
        async.exchangeEnded(Records.ofPath("/again"));
        assertThat(slow.take(1)).containsExactly("/again");
        assertThat(async.dropped()).isEqualTo(5);
    }

    @Test
    void everyCallIsHandedOnByItsName() throws Exception {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        ProxyObserver async = ProxyObserver.async(Told.to(told -> seen.add(told.method())), 1000);
        for (Method method : ProxyObserver.class.getMethods()) {
            if (method.getReturnType() == void.class) {
                method.invoke(async, (Object) null);
                assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo(method.getName());
            }
        }
    }

    @Test
    void changesAndEndsAreToldInTheOrderOfTheCalls() throws InterruptedException {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        ProxyObserver async = ProxyObserver.async(
                new ProxyObserver() {
                    @Override
                    public void timeoutClassChanged(ExchangeRecord change) {
                        seen.add("changed " + change.path());
                    }

                    @Override
                    public void exchangeEnded(ExchangeRecord exchange) {
                        seen.add("ended " + exchange.path());
                    }
                },
                1000);
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            async.timeoutClassChanged(Records.ofPath("/" + i));
            async.timeoutClassChanged(Records.ofPath("/" + i));
            async.exchangeEnded(Records.ofPath("/" + i));
            expected.addAll(List.of("changed /" + i, "changed /" + i, "ended /" + i));
        }

        List<String> told = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            told.add(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS));
        }
        assertThat(told).isEqualTo(expected);
        assertThat(async.dropped()).isZero();
    }

    @Test
    void changeIsHandedOverAsItIsAndOnTheObserversThread() throws InterruptedException {
        BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
        ProxyObserver async = ProxyObserver.async(
                new ProxyObserver() {
                    @Override
                    public void timeoutClassChanged(ExchangeRecord change) {
                        seen.add(change);
                        seen.add(Thread.currentThread().getName());
                    }
                },
                1);
        ExchangeRecord change = Records.ofPath("/");
        async.timeoutClassChanged(change);

        assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isSameAs(change);
        assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo("webproxy-observer");
    }

    @Test
    void changesThatFindTheQueueFullAreDroppedAndCountedToo() throws InterruptedException {
        Gated slow = new Gated();
        ProxyObserver async = ProxyObserver.async(slow, 1);
        async.exchangeEnded(Records.ofPath("/0"));
        assertThat(slow.entered.await(WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        for (int i = 0; i < 4; i++) {
            async.timeoutClassChanged(Records.ofPath("/"));
        }
        slow.gate.countDown();

        assertThat(async.dropped()).isEqualTo(3);
        assertThat(slow.take(1)).containsExactly("/0");
    }

    @Test
    void observerThatThrowsOnAChangeIsToldOfTheEnd() throws InterruptedException {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        ProxyObserver async = ProxyObserver.async(
                new ProxyObserver() {
                    @Override
                    public void timeoutClassChanged(ExchangeRecord change) {
                        throw new IllegalStateException("thrown by the test");
                    }

                    @Override
                    public void exchangeEnded(ExchangeRecord exchange) {
                        seen.add(exchange.path());
                    }
                },
                10);

        async.timeoutClassChanged(Records.ofPath("/1"));
        async.exchangeEnded(Records.ofPath("/1"));

        assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo("/1");
    }

    @Test
    void throwingObserverIsToldOfTheNextExchangesToo() throws InterruptedException {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        ProxyObserver async = ProxyObserver.async(
                new ProxyObserver() {
                    @Override
                    public void exchangeEnded(ExchangeRecord exchange) {
                        seen.add(exchange.path());
                        throw new IllegalStateException("thrown by the test");
                    }
                },
                10);

        async.exchangeEnded(Records.ofPath("/1"));
        async.exchangeEnded(Records.ofPath("/2"));

        assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo("/1");
        assertThat(seen.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isEqualTo("/2");
        assertThat(async.dropped()).isZero();
    }

    @Test
    void observerRunsOnADaemonThreadOfItsOwn() throws InterruptedException {
        AtomicReference<Thread> thread = new AtomicReference<>();
        CountDownLatch called = new CountDownLatch(1);
        ProxyObserver async = ProxyObserver.async(
                new ProxyObserver() {
                    @Override
                    public void exchangeEnded(ExchangeRecord exchange) {
                        thread.set(Thread.currentThread());
                        called.countDown();
                    }
                },
                1);

        async.exchangeEnded(Records.ofPath("/"));

        assertThat(called.await(WAIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(thread.get()).isNotSameAs(Thread.currentThread());
        assertThat(thread.get().isDaemon()).isTrue();
        assertThat(thread.get().getName()).isEqualTo("webproxy-observer");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void queueHoldsAtLeastOne(int size) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyObserver.async(new ProxyObserver() {}, size))
                .withMessage("queueSize: " + size + " (expected: at least 1)");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> ProxyObserver.async(null, 1))
                .withMessage("observer");
    }
}
