package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

class ThreadLoadsTest {
    private static XnioWorker worker;

    private final ThreadLoads loads = new ThreadLoads();

    @BeforeAll
    static void startWorker() {
        worker = Xnio.getInstance().createWorkerBuilder().setWorkerIoThreads(3).build();
    }

    @AfterAll
    static void stopWorker() throws InterruptedException {
        worker.shutdown();
        worker.awaitTermination(30, TimeUnit.SECONDS);
    }

    private static XnioIoThread thread(int number) {
        return worker.getIoThread(number);
    }

    private void open(int thread, int count) {
        for (int i = 0; i < count; i++) {
            loads.opened(thread(thread));
        }
    }

    @Test
    void connectionStaysWhereItWasAccepted() {
        for (int i = 0; i < 3; i++) {
            assertThat(loads.threadFor(thread(i))).isSameAs(thread(i));
        }
        open(0, 5);
        open(1, 5);
        open(2, 5);
        for (int i = 0; i < 3; i++) {
            assertThat(loads.threadFor(thread(i))).isSameAs(thread(i));
        }
    }

    @Test
    void connectionGoesToTheThreadWithTheFewest() {
        open(0, 2);
        open(1, 1);
        assertThat(loads.threadFor(thread(0))).isSameAs(thread(2));
        assertThat(loads.threadFor(thread(1))).isSameAs(thread(2));
        open(2, 3);
        assertThat(loads.threadFor(thread(2))).isSameAs(thread(1));
    }

    /** The counts of short connections go up and down: a difference of a few isn't worth a wake-up. */
    @Test
    void manyConnectionsMayDifferALittle() {
        open(0, 90);
        open(1, 80);
        open(2, 80);
        assertThat(loads.threadFor(thread(0))).isSameAs(thread(0));
        open(0, 1);
        assertThat(loads.threadFor(thread(0))).isSameAs(thread(1));
        loads.closed(thread(0));
        assertThat(loads.threadFor(thread(0))).isSameAs(thread(0));
    }
}
