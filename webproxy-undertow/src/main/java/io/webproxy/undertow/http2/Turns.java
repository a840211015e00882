package io.webproxy.undertow.http2;

import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Turn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.channels.SslChannel;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The turns of one connection on its IO thread. Each turn reads available bytes up to a limit, runs due tasks, and
 * writes once. Writes caused by other connections of the thread wait for the end of the thread's round, and go out
 * together.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Turns {
    /** The steps of a turn. */
    interface Steps {
        /** Takes bytes; false if it has left some of them for the next turn. */
        boolean take(ByteBuffer bytes);

        /** Makes {@link #take} leave the rest of its bytes. */
        void pause();

        /** The peer has closed its direction. */
        void ended();

        /** A step threw unexpectedly: its data may be lost, so the connection has to end. */
        void failed();

        /** Writes what there is; returns whether more could be written at once. */
        boolean write();

        /** The socket accepts bytes again; returns whether it has taken everything. */
        boolean unblocked();
    }

    private static final int BUFFER_BYTES = 32 * 1024;
    /** Bytes of all streams together, so more than for one body. */
    private static final int BYTES = 1 << 20;
    /**
     * Limit of started requests: those that arrive in one piece would otherwise all start before any other connection's
     * turn.
     */
    private static final int REQUESTS = 32;
    /** Limit of tasks: those that add others could otherwise occupy the thread. */
    private static final int TASKS = 1024;

    /**
     * Read buffers of a thread for all its connections: one for a turn, and one for a look at another connection within
     * that turn.
     */
    private static final ThreadLocal<ArrayDeque<ByteBuffer>> BUFFERS = ThreadLocal.withInitial(ArrayDeque::new);

    private final StreamConnection socket;
    private final StreamSourceConduit source;
    private final Steps steps;
    private final boolean secure;
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final Turn turn = new Turn(BYTES);
    private final Runnable run = this::runSafely;
    /** Bytes that the last turn has read and not taken. */
    private @Nullable ByteBuffer left;

    private boolean running;
    private boolean scheduled;
    private boolean touched;
    /** Another turn follows after the thread's other sockets had theirs. */
    private boolean resting;
    /** Nothing is read until then. */
    private boolean readsRest;
    /** A timer guarantees the turn. */
    private boolean timed;

    private boolean readable;
    private boolean awaiting;
    /** Whether the socket reports when it is writable. */
    private boolean writesResumed;

    private boolean stopped;
    private boolean reading = true;
    /** Nothing can be written any more: the connection ends with its input. */
    private boolean last;

    private int requests;

    Turns(StreamConnection socket, Steps steps) {
        this.socket = socket;
        this.source = socket.getSourceChannel().getConduit();
        this.steps = steps;
        this.secure = socket instanceof SslChannel;
    }

    /** Starts to read; {@code read}: bytes that were read already, or null. */
    void start(@Nullable PooledByteBuffer read) {
        if (read != null) {
            left = ByteBuffer.allocate(read.getBuffer().remaining())
                    .put(read.getBuffer())
                    .flip();
            read.close();
        }
        socket.getSourceChannel().setReadListener(ready -> {
            readable = true;
            runSafely();
        });
        socket.getSinkChannel()
                .setWriteListener(
                        ready -> Guard.run("the writing of an HTTP/2 connection", this::writable, steps::failed));
        readable = true;
        socket.getSourceChannel().resumeReads();
        runSafely();
    }

    private void writable() {
        if (awaiting && steps.unblocked()) {
            touched = true;
            runSafely();
        } else if (resting) {
            runSafely();
        }
    }

    /** Takes a turn now, as if the socket were readable. */
    void look() {
        readable = true;
        runSafely();
    }

    /** Runs a task in this turn, or in the next. */
    void later(Runnable task) {
        tasks.addLast(task);
        schedule();
    }

    /** There is something to write. */
    void touch() {
        touched = true;
        schedule();
    }

    /** A request has started. */
    void started() {
        if (++requests >= REQUESTS) {
            steps.pause();
        }
    }

    /** Sets whether to wait for the socket to become writable. */
    void awaitSocket(boolean wanted) {
        awaiting = wanted;
        listenToWrites();
    }

    private void listenToWrites() {
        boolean wanted = awaiting || resting;
        if (writesResumed != wanted && !stopped) {
            writesResumed = wanted;
            if (wanted) {
                socket.getSinkChannel().resumeWrites();
            } else {
                socket.getSinkChannel().suspendWrites();
            }
        }
    }

    /** Nothing can be written any more: reads the rest of the input, then calls {@link Steps#ended}. */
    void readLast() {
        last = true;
        readable = true;
        schedule();
    }

    /** Stops reading. */
    void stopReading() {
        reading = false;
        left = null;
        if (!stopped && socket.isOpen()) {
            socket.getSourceChannel().suspendReads();
        }
    }

    /** The connection is closed. */
    void stop() {
        stopped = true;
        left = null;
        // due tasks belong to streams, which are told of the end
        if (!running && !tasks.isEmpty()) {
            schedule();
        }
    }

    private void schedule() {
        if (!running && !scheduled && (!stopped || !tasks.isEmpty())) {
            scheduled = true;
            try {
                socket.getIoThread().execute(run);
            } catch (RejectedExecutionException e) {
                // the server is closing
            }
        }
    }

    private void runSafely() {
        scheduled = false;
        if (running) {
            return;
        }
        running = true;
        requests = 0;
        try {
            Guard.run("a turn of an HTTP/2 connection", this::run, steps::failed);
        } finally {
            running = false;
        }
        if (stopped) {
            schedule();
        } else {
            rest(touched || !tasks.isEmpty() || left != null || (readable && reading));
        }
    }

    /**
     * Delays the next turn until the thread has looked at its sockets. The thread runs its tasks before that, so a turn
     * that queues itself at once would starve all other connections. A writable socket is reported at the next look; a
     * full one isn't, so there is a timer too.
     */
    private void rest(boolean due) {
        resting = due;
        listenToWrites();
        if (due && !timed) {
            timed = true;
            IoTasks.executeAfter(
                    socket.getIoThread(),
                    () -> {
                        timed = false;
                        if (resting) {
                            runSafely();
                        }
                    },
                    Turn.TLS_REST_MILLIS);
        }
        boolean readsDue = due && secure && readable && reading;
        if (readsRest != readsDue) {
            readsRest = readsDue;
            if (readsDue) {
                // TLS would call the listener again at once for the bytes in its engine
                socket.getSourceChannel().suspendReads();
            } else if (reading) {
                socket.getSourceChannel().resumeReads();
            }
        }
    }

    private void run() {
        read();
        runTasks();
        if (touched && !stopped) {
            touched = steps.write();
            runTasks();
        }
    }

    private void runTasks() {
        for (int i = 0; i < TASKS && !tasks.isEmpty(); i++) {
            Guard.run("a task of an HTTP/2 connection", tasks.removeFirst(), steps::failed);
        }
    }

    private void read() {
        ByteBuffer before = left;
        if (before != null) {
            left = null;
            if (!steps.take(before) && reading) {
                left = before;
                return;
            }
        }
        if (!readable || !reading || stopped) {
            return;
        }
        ArrayDeque<ByteBuffer> buffers = BUFFERS.get();
        ByteBuffer free = buffers.pollLast();
        ByteBuffer buffer = free == null ? ByteBuffer.allocateDirect(BUFFER_BYTES) : free;
        try {
            while (reading && !stopped) {
                int read = source.read(buffer.clear());
                if (read <= 0) {
                    readable = false;
                    if (read < 0 || last) {
                        steps.ended();
                    }
                    return;
                }
                turn.moved(read);
                if (!steps.take(buffer.flip()) && reading) {
                    left = ByteBuffer.allocate(buffer.remaining()).put(buffer).flip();
                    return;
                }
                // bodies move on before more is read: they are still in the CPU cache, and need few buffers
                runTasks();
                if (!secure && !last && read < BUFFER_BYTES) {
                    readable = false;
                    return;
                }
                if (turn.isOver()) {
                    // a cleartext socket reports by itself that there is more; a TLS engine may hold bytes that no
                    // selector reports
                    readable = secure || last;
                    return;
                }
            }
        } catch (IOException e) {
            steps.ended();
        } finally {
            buffers.addLast(buffer);
        }
    }
}
