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
 * The turns of one connection on its IO thread: in each it reads what there is, up to a limit, runs what has become
 * due, and writes once. What other connections of the thread make it write waits for the end of the thread's round, so
 * that it goes out together.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Turns {
    /** What a turn is made of. */
    interface Steps {
        /** Takes bytes; false if it has left some of them, to go on in the next turn. */
        boolean take(ByteBuffer bytes);

        /** {@link #take} is to leave what it has not yet looked at. */
        void pause();

        /** The other side has ended its direction. */
        void ended();

        /** Something has thrown that shouldn't: what it was for may be lost, so that the connection has to end. */
        void failed();

        /** Writes what there is; returns whether there would be more at once. */
        boolean write();

        /** The socket takes bytes again; returns whether it has taken all. */
        boolean unblocked();
    }

    private static final int BUFFER_BYTES = 32 * 1024;
    /** Of all streams together, and so more than for one body. */
    private static final int BYTES = 1 << 20;
    /** Requests that came in one piece would all start before any other connection of this thread is looked at. */
    private static final int REQUESTS = 32;
    /** Tasks that make others could keep the thread for themselves. */
    private static final int TASKS = 1024;

    /**
     * What is read into, by all connections of a thread: one for a turn, and one for a look at another connection
     * within that turn.
     */
    private static final ThreadLocal<ArrayDeque<ByteBuffer>> BUFFERS = ThreadLocal.withInitial(ArrayDeque::new);

    private final StreamConnection socket;
    private final StreamSourceConduit source;
    private final Steps steps;
    private final boolean secure;
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final Turn turn = new Turn(BYTES);
    private final Runnable run = this::runSafely;
    /** What a turn has left of what it has read. */
    private @Nullable ByteBuffer left;

    private boolean running;
    private boolean scheduled;
    private boolean touched;
    /** Another turn follows as soon as the other sockets of the thread were looked at. */
    private boolean resting;
    /** Nothing is to be read until then. */
    private boolean readsRest;
    /** The turn comes by then at the latest. */
    private boolean timed;

    private boolean readable;
    private boolean awaiting;
    /** Whether the socket says when it can be written to. */
    private boolean writesResumed;

    private boolean stopped;
    private boolean reading = true;
    /** Nothing can be written any more: the end of what can be read is the end. */
    private boolean last;

    private int requests;

    Turns(StreamConnection socket, Steps steps) {
        this.socket = socket;
        this.source = socket.getSourceChannel().getConduit();
        this.steps = steps;
        this.secure = socket instanceof SslChannel;
    }

    /** Starts to read; {@code read}: what was read already, or null. */
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

    /** Takes a turn now, as if the socket had something to be read. */
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

    /** Whether the socket is to say when it takes bytes. */
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

    /** Nothing can be written any more: what has come is read, and then {@link Steps#ended} is called. */
    void readLast() {
        last = true;
        readable = true;
        schedule();
    }

    /** Nothing is read any more. */
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
        // what has become due is for streams, which hear of the end
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
     * Waits for a turn that is due until the thread has looked at its sockets: its tasks run before that, so that one
     * which follows on itself at once would keep all others waiting. A socket that takes bytes says so in the next
     * look. One that is full doesn't, so there is a limit.
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
                // for what its engine holds TLS would call the listener again at once
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
                // bodies go on before more comes: they are still in the processor's cache, and need few buffers
                runTasks();
                if (!secure && !last && read < BUFFER_BYTES) {
                    readable = false;
                    return;
                }
                if (turn.isOver()) {
                    // a socket in cleartext says by itself that there is more; an engine of TLS may hold what no
                    // selector knows of
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
