package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

@ExtendWith(LeakCheck.class)
class IoTasksTest {
    @Test
    void settlesBehindTasksAndWhatTheyGiveInTurn() throws Exception {
        XnioWorker worker = Xnio.getInstance()
                .createWorker(OptionMap.create(Options.WORKER_IO_THREADS, 2, Options.THREAD_DAEMON, true));
        try {
            List<XnioIoThread> threads = List.of(worker.getIoThread(0), worker.getIoThread(1));
            AtomicInteger ran = new AtomicInteger();
            CountDownLatch begin = new CountDownLatch(1);
            threads.get(0).execute(() -> {
                try {
                    begin.await();
                } catch (InterruptedException e) {
                    return;
                }
                ran.incrementAndGet();
                threads.get(1).execute(() -> {
                    ran.incrementAndGet();
                    threads.get(0).execute(ran::incrementAndGet);
                });
            });
            new Thread(begin::countDown).start();
            IoTasks.settle(threads);
            assertThat(ran).hasValue(3);
        } finally {
            worker.shutdown();
            worker.awaitTermination();
        }
    }
}
