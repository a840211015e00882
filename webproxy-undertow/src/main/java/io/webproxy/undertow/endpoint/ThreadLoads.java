package io.webproxy.undertow.endpoint;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/**
 * The number of client connections on each IO thread of one worker. A new connection stays on the thread that accepted
 * it, which costs no wake-up, unless that has more connections than another one. Thread-safe.
 */
final class ThreadLoads {
    /** Threads beyond these share a count. */
    private static final int COUNTS = 128;

    /** One count for each cache line: else threads would wait for each other. */
    private static final int STRIDE = 16;

    /** A thread may have more connections than the least loaded one by this part. */
    private static final int SLACK_PART = 8;

    private final AtomicIntegerArray counts = new AtomicIntegerArray(COUNTS * STRIDE);

    void opened(XnioIoThread thread) {
        counts.incrementAndGet(index(thread.getNumber()));
    }

    void closed(XnioIoThread thread) {
        counts.decrementAndGet(index(thread.getNumber()));
    }

    private static int index(int thread) {
        return thread % COUNTS * STRIDE;
    }

    /** The thread for a connection that the current thread has accepted. */
    XnioIoThread threadFor(XnioIoThread current) {
        int own = counts.get(index(current.getNumber()));
        int least = own;
        int chosen = current.getNumber();
        XnioWorker worker = current.getWorker();
        for (int i = 0; least > 0 && i < worker.getIoThreadCount(); i++) {
            int count = counts.get(index(i));
            if (count < least) {
                least = count;
                chosen = i;
            }
        }
        return own - least > least / SLACK_PART ? worker.getIoThread(chosen) : current;
    }
}
