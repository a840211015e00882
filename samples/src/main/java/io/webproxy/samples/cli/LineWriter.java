package io.webproxy.samples.cli;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes lines on a thread of its own, as many at once as have come within 20 ms: whoever adds one never waits for a
 * disk. At most 4 MiB wait; lines beyond that are dropped, and counted by the target. Thread-safe.
 */
final class LineWriter implements AutoCloseable {
    private static final int INITIAL = 1 << 16;
    private static final int MOST = 1 << 22;
    private static final long GATHER_MILLIS = 20;
    private static final long CLOSE_MILLIS = 2_000;

    /** What is written to; only the writer's thread calls it. */
    interface Target extends AutoCloseable {
        /** Appends whole lines. Never throws an exception because that fails. */
        void append(ByteBuffer lines);

        /** So many lines were dropped before these, because earlier ones couldn't be written in time. */
        void dropped(long lines);

        /** Whoever rotates the file says that its path names another one now. */
        void reopen();

        @Override
        void close();
    }

    private final Target target;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Thread thread;
    private byte[] pending = new byte[INITIAL];
    private int size;
    private long dropped;
    private boolean reopening;
    private boolean writing;
    private boolean urgent;
    private boolean closed;

    /** Starts the thread. */
    LineWriter(String name, Target target) {
        this.target = target;
        this.thread = new Thread(this::run, "webproxy-" + name.replace(' ', '-'));
        thread.setDaemon(true);
        thread.start();
    }

    /** Adds a line with its end. Never waits for what is written. */
    void add(String line) {
        byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
        lock.lock();
        try {
            if (closed) {
                return;
            }
            if (bytes.length > MOST - size) {
                dropped++;
                return;
            }
            if (bytes.length > pending.length - size) {
                pending = Arrays.copyOf(pending, Math.max(size + bytes.length, Math.min(MOST, 2 * pending.length)));
            }
            System.arraycopy(bytes, 0, pending, size, bytes.length);
            boolean first = size == 0;
            size += bytes.length;
            if (first) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Opens the file anew, soon. */
    void reopen() {
        lock.lock();
        try {
            reopening = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Returns when all that was added is written; after 2 s at the latest, and if it is interrupted. */
    void flush() {
        lock.lock();
        try {
            urgent = true;
            changed.signalAll();
            long left = TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS);
            while (left > 0 && (size > 0 || writing)) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            urgent = false;
            lock.unlock();
        }
    }

    private void run() {
        byte[] taken = new byte[INITIAL];
        boolean more = true;
        while (more) {
            int count;
            long lost;
            boolean reopens;
            lock.lock();
            try {
                writing = false;
                changed.signalAll();
                while (size == 0 && !reopening && !closed) {
                    changed.awaitUninterruptibly();
                }
                gather();
                byte[] swapped = pending;
                pending = taken;
                taken = swapped;
                count = size;
                size = 0;
                lost = dropped;
                dropped = 0;
                reopens = reopening;
                reopening = false;
                writing = true;
                more = !closed || count > 0;
            } finally {
                lock.unlock();
            }
            write(taken, count, lost, reopens);
            if (taken.length > 4 * INITIAL) {
                // a burst is over
                taken = new byte[INITIAL];
            }
        }
        target.close();
    }

    /** Called under the lock: lets go of it while more lines come. */
    private void gather() {
        long left = TimeUnit.MILLISECONDS.toNanos(GATHER_MILLIS);
        try {
            while (left > 0 && size < INITIAL / 2 && !urgent && !reopening && !closed) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            // then at once
        }
    }

    private void write(byte[] lines, int count, long lost, boolean reopens) {
        if (reopens) {
            target.reopen();
        }
        if (lost > 0) {
            target.dropped(lost);
        }
        if (count > 0) {
            target.append(ByteBuffer.wrap(lines, 0, count));
        }
    }

    /** Writes what was added, and closes the target; what takes longer than 2 s is lost. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // a channel that hangs is closed by that
        thread.interrupt();
    }
}
