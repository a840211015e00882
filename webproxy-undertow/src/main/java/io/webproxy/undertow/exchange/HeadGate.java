package io.webproxy.undertow.exchange;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.StatusCodes;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * What every byte of an HTTP/1.1 client passes before Undertow's parser: request heads that come too slowly, are far too large, or are refused by Undertow itself
 * become exchanges here that say so, because Undertow would close without a word, or wait for the body first; what else is wrong is noted for the exchange.
 * Bodies pass untouched.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
public final class HeadGate extends AbstractStreamSourceConduit<StreamSourceConduit> {
    private static final long FAREWELL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** Of one name the parser takes no more. */
    private static final int MOST_OF_ONE_NAME = 127;

    private final StreamConnection connection;
    private final Origin origin;
    /** The channel's own: while an exchange ends, the channel still has that of the exchange. */
    private final StreamSinkConduit sink;

    private final Sweeper sweeper;
    private final Supplier<HttpLimits> limits;
    private final HeadScanner scanner = new HeadScanner();
    private final Refusals refusals;
    private @Nullable Wait wait;
    private @Nullable Farewell farewell;
    private boolean leaving;
    private long idleSince;
    /** An exchange of ours has the request. */
    private boolean taken;

    private @Nullable HeadProblem refusal;
    /** Nothing is read for HTTP any more, nor written. */
    private boolean closing;

    /** Makes an exchange of a request that Undertow doesn't let through. */
    @FunctionalInterface
    public interface Refusals {
        /** Answers {@code gate.problem()} over the connection, from whose channels all others are detached. */
        void answer(StreamConnection connection, HeadGate gate);
    }

    private HeadGate(
            StreamConnection connection,
            Origin origin,
            Sweeper sweeper,
            Supplier<HttpLimits> limits,
            Refusals refusals) {
        super(connection.getSourceChannel().getConduit());
        this.connection = connection;
        this.origin = origin;
        this.sink = connection.getSinkChannel().getConduit();
        this.sweeper = sweeper;
        this.limits = limits;
        this.refusals = refusals;
        this.idleSince = sweeper.now();
    }

    /**
     * Puts a gate before a connection that speaks HTTP/1.1.
     *
     * @param origin where it comes from
     * @param refusals answers what never reaches a handler
     * @param read what was read of it already, or null; the gate may take bytes out of it, and all of them
     */
    public static HeadGate install(
            StreamConnection connection,
            Origin origin,
            Sweeper sweeper,
            Supplier<HttpLimits> limits,
            Refusals refusals,
            @Nullable PooledByteBuffer read) {
        HeadGate gate = new HeadGate(connection, origin, sweeper, limits, refusals);
        connection.getSourceChannel().setConduit(gate);
        connection.getSinkChannel().setConduit(new AnswerGate(gate.sink, gate));
        gate.next(read);
        return gate;
    }

    Origin origin() {
        return origin;
    }

    /** What is wrong with the head, or null. */
    @Nullable HeadProblem problem() {
        if (refusal != null) {
            return refusal;
        }
        HeadProblem found = scanner.problem();
        if (found == null && scanner.targetBytes() > limits.get().requestTargetBytes()) {
            return HeadProblem.TARGET_TOO_LONG;
        }
        return found == null && scanner.bytes() > limits.get().requestHeadBytes() ? HeadProblem.TOO_LARGE : found;
    }

    /** The method as it came; may be empty. */
    String method() {
        return scanner.method();
    }

    /** The request target as it came, or its beginning; may be empty. */
    String target() {
        return scanner.target();
    }

    /**
     * An exchange of ours has the request, and answers it.
     *
     * @return the method, if the parser has seen only part of it; else null
     */
    @Nullable String taken() {
        taken = true;
        String method = scanner.longMethod();
        scanner.forgetLine();
        return method;
    }

    /** Whether what Undertow reads or writes now is for an answer of its own: no handler of ours has seen the request that is under way. */
    boolean isUndertows() {
        return !taken && scanner.hasBegun();
    }

    boolean isRefused() {
        return refusal != null;
    }

    /** Whether Undertow has nothing to do with the connection any more. */
    boolean isDetached() {
        return closing || refusal != null;
    }

    /**
     * The connection is closed as soon as its client has the last answer.
     *
     * @param sending whether the client is known to be sending
     * @param onEnd runs once it is closed
     */
    void linger(boolean sending, Runnable onEnd) {
        closing = true;
        stopWaiting();
        StreamConnection socket = origin.socket();
        connection.getSourceChannel().setReadListener(null);
        connection.getSourceChannel().setConduit(next);
        connection.getSourceChannel().suspendReads();
        connection.getSourceChannel().setConduit(this);
        connection.getSinkChannel().setConduit(sink);
        StreamSourceConduit lowest =
                socket == connection ? next : socket.getSourceChannel().getConduit();
        LingeringClose close = new LingeringClose(connection, origin, lowest, sink, sweeper, onEnd);
        if (sending) {
            close.sending();
        }
        close.start();
    }

    /** The exchange is complete, the next head comes; of {@code read}, which was read of it already and may be null, the gate may take bytes out. */
    void next(@Nullable PooledByteBuffer read) {
        if (closing || refusal != null) {
            return;
        }
        taken = false;
        scanner.reset();
        idleSince = sweeper.now();
        if (read != null) {
            ByteBuffer bytes = read.getBuffer();
            int leading = scanner.scan(bytes, bytes.position(), bytes.limit());
            bytes.position(scanned() ? bytes.position() + leading : bytes.limit());
        }
        if (leaving) {
            awaitFarewell();
        }
    }

    /** The endpoint goes away: the connection ends behind the exchange that is under way, or once no request comes any more. */
    public void leave() {
        leaving = true;
        awaitFarewell();
    }

    /** Whether the connection ends behind the exchange that is under way. */
    boolean isLeaving() {
        return leaving;
    }

    private boolean isIdle() {
        return !scanner.hasBegun() && refusal == null && !closing && connection.isOpen();
    }

    private void awaitFarewell() {
        if (farewell == null && isIdle()) {
            farewell = new Farewell();
            sweeper.watch(farewell);
        }
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (isDrained()) {
            return 0;
        }
        if (scanner.isComplete()) {
            return next.read(dst);
        }
        int start = dst.position();
        int read = next.read(dst);
        if (read > 0) {
            int leading = scanner.scan(dst, start, dst.position());
            if (leading > 0) {
                ByteBuffer rest = dst.duplicate().flip().position(start + leading);
                dst.position(start);
                dst.put(rest);
                read -= leading;
            }
            if (!scanned()) {
                dst.position(start);
                return 0;
            }
        }
        return read;
    }

    /** Whether no bytes are to be had: Undertow reads a body that it wants to throw away before it refuses the request. */
    private boolean isDrained() {
        if (!closing && refusal == null && scanner.isComplete() && isUndertows()) {
            undertowRefuses(HeadProblem.HOST);
        }
        return closing || refusal != null;
    }

    /** Whether the head may go on. */
    private boolean scanned() {
        HttpLimits now = limits.get();
        if (scanner.bytes() > 2 * now.requestHeadBytes()) {
            // up to twice the limits the guard answers, and the exchange has a record; behind that Undertow's parser
            // would, without a reason
            refuse(scanner.isInRequestLine() ? HeadProblem.TARGET_TOO_LONG : HeadProblem.TOO_LARGE);
            return false;
        } else if (scanner.fields() > now.fields()) {
            // before the parser, which closes at the 128th field of one name
            refuse(new HeadProblem(431, "The request has more than " + now.fields() + " fields."));
            return false;
        }
        if (scanner.isComplete()) {
            stopWaiting();
            if (scanner.hasSurplus() && !scanner.hasHost()) {
                // Undertow would look for the end of a body first, and close without an answer where that is malformed
                undertowRefuses(HeadProblem.HOST);
                return false;
            }
        } else if (scanner.hasBegun() && wait == null) {
            wait = new Wait(sweeper.now() + now.headTime().toNanos());
            sweeper.watch(wait);
        }
        return true;
    }

    private void stopWaiting() {
        if (wait != null) {
            sweeper.forget(wait);
            wait = null;
        }
    }

    /** Undertow answers a request by itself. */
    void undertowAnswers(int status, String reason) {
        if (status != HeadProblem.MALFORMED.status()) {
            undertowRefuses(new HeadProblem(status, "The request can't be served."));
        } else {
            boolean byParser = reason.equals(StatusCodes.BAD_REQUEST_STRING);
            undertowRefuses(
                    !byParser
                            ? HeadProblem.HOST
                            : scanner.fields() > MOST_OF_ONE_NAME
                                    ? HeadProblem.TOO_MANY_OF_ONE_NAME
                                    : HeadProblem.MALFORMED);
        }
    }

    private void undertowRefuses(HeadProblem why) {
        HeadProblem known = problem();
        refuse(known == null ? why : known);
    }

    private void refuse(HeadProblem why) {
        if (refusal == null) {
            refusal = why;
            stopWaiting();
            // whoever is reading or writing now has to have come to its end
            IoTasks.execute(sweeper.thread(), this::answer);
        }
    }

    private void answer() {
        if (!connection.isOpen()) {
            return;
        }
        connection.getSourceChannel().suspendReads();
        connection.getSourceChannel().setReadListener(null);
        connection.getSourceChannel().setConduit(this);
        connection.getSinkChannel().setWriteListener(null);
        connection.getSinkChannel().setConduit(sink);
        try {
            refusals.answer(connection, this);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void close() {
        stopWaiting();
        IoUtils.safeClose(connection);
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        if (isDrained()) {
            return 0;
        }
        if (scanner.isComplete()) {
            return next.read(dsts, offset, length);
        }
        for (int i = offset; i < offset + length; i++) {
            if (dsts[i].hasRemaining()) {
                return read(dsts[i]);
            }
        }
        return 0;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return isDrained() ? 0 : next.transferTo(position, count, target);
    }

    @Override
    public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        if (isDrained()) {
            throughBuffer.limit(throughBuffer.position());
            return 0;
        }
        return next.transferTo(count, throughBuffer, target);
    }

    @Override
    public void resumeReads() {
        if (!closing && connection.isOpen()) {
            next.resumeReads();
        }
    }

    @Override
    public void wakeupReads() {
        if (!closing) {
            next.wakeupReads();
        }
    }

    @Override
    public void suspendReads() {
        if (!closing && connection.isOpen()) {
            next.suspendReads();
        }
    }

    @Override
    public void terminateReads() throws IOException {
        if (!isDrained()) {
            next.terminateReads();
        }
    }

    /**
     * The close of an idle connection. A client that has just had an answer is about to ask again, most likely, and would lose what it asks: it has half a second
     * to be told that the connection closes (RFC 9112 section 9.5).
     */
    private final class Farewell extends Watched {
        @Override
        protected long deadline() {
            return idleSince + FAREWELL_NANOS;
        }

        @Override
        protected void seen(long now) {
            if (!isIdle()) {
                end();
            }
        }

        @Override
        protected void expired(long now) {
            end();
            // what has come by now is served
            connection.getSourceChannel().wakeupReads();
            IoTasks.execute(sweeper.thread(), () -> {
                if (isIdle()) {
                    HeadGate.this.close();
                }
            });
        }

        @Override
        protected void cut() {
            end();
            HeadGate.this.close();
        }

        private void end() {
            sweeper.forget(this);
            farewell = null;
        }
    }

    /** For the rest of a head. */
    private final class Wait extends Watched {
        private final long deadline;

        Wait(long deadline) {
            this.deadline = deadline;
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void seen(long now) {
            if (!connection.isOpen()) {
                stopWaiting();
            }
        }

        @Override
        protected void expired(long now) {
            refuse(new HeadProblem(408, "The request head didn't come in time."));
        }

        @Override
        protected void cut() {
            close();
        }
    }
}
