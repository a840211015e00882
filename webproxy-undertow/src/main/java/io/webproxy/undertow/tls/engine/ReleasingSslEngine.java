package io.webproxy.undertow.tls.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Wraps a Conscrypt engine: frees its two descriptors when it is closed, and keeps no buffer of its own.
 *
 * <p>Conscrypt (2.9.0) frees its native pipe only when, after both sides were closed, the last record was taken out of
 * it and all plaintext was read. Undertow doesn't do that for a connection that is cut. So this takes both out at once,
 * and keeps the last record on the heap for a later wrap. Canary:
 * {@code ConscryptDefectsTest.closedEnginesKeepTheirDescriptors}.
 *
 * <p>Thread-safe.
 */
final class ReleasingSslEngine extends ForwardingSslEngine {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** What may be sent before the data: two session tickets before the first data, later an answer to a key update. */
    private static final int ROOM_BEFORE_FIRST_DATA = 2048;

    private static final int ROOM_BEFORE_DATA = 256;

    private boolean inboundClosed;
    private boolean outboundClosed;
    private boolean plaintextLeft;
    private boolean dataSent;
    private boolean handshakeFinished;
    private byte[] farewell = new byte[0];

    ReleasingSslEngine(SSLEngine inner, boolean client) {
        super(inner, client);
    }

    @Override
    public synchronized SSLEngineResult wrap(ByteBuffer[] srcs, int offset, int length, ByteBuffer dst)
            throws SSLException {
        int end = Objects.checkFromIndexSize(offset, length, srcs.length) + length;
        if (farewell.length > 0) {
            return sayFarewell(dst);
        }
        int first = nextFilled(srcs, offset, end);
        int from = dst.position();
        try {
            SSLEngineResult result =
                    first == end ? inner.wrap(NOTHING, dst) : wrapData(srcs, first, end, plaintextFor(dst), dst);
            dataSent |= result.bytesConsumed() > 0;
            produced(dst, from);
            return seen(length == 1 ? more(srcs, offset, dst, result) : result);
        } catch (SSLException e) {
            failed(e);
            abandon();
            throw e;
        }
    }

    /** Makes as many records as fit: one system call sends them all. */
    private SSLEngineResult more(ByteBuffer[] srcs, int offset, ByteBuffer dst, SSLEngineResult first)
            throws SSLException {
        SSLEngineResult last = first;
        int consumed = first.bytesConsumed();
        int produced = first.bytesProduced();
        while (srcs[offset].hasRemaining()
                && dst.remaining() >= RecordBuffers.MAX_PLAINTEXT + ROOM_BEFORE_DATA
                && last.bytesConsumed() > 0
                && last.getStatus() == Status.OK
                && last.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) {
            last = wrapData(srcs, offset, offset + 1, plaintextFor(dst), dst);
            consumed += last.bytesConsumed();
            produced += last.bytesProduced();
        }
        return last == first
                ? first
                : new SSLEngineResult(last.getStatus(), last.getHandshakeStatus(), consumed, produced);
    }

    private static int nextFilled(ByteBuffer[] srcs, int from, int end) {
        int next = from;
        while (next < end && !srcs[next].hasRemaining()) {
            next++;
        }
        return next;
    }

    /**
     * How much plaintext fits into {@code dst} with everything else to be sent: given more, the engine (2.9.0) takes
     * data and yields nothing. Canary: {@code ConscryptDefectsTest.dataIsTakenForARecordThatDoesNotFit}.
     */
    private int plaintextFor(ByteBuffer dst) {
        int room = dst.remaining() - (dataSent ? ROOM_BEFORE_DATA : ROOM_BEFORE_FIRST_DATA);
        return Math.max(1, Math.min(room, RecordBuffers.MAX_PLAINTEXT));
    }

    private SSLEngineResult wrapData(ByteBuffer[] srcs, int first, int end, int limit, ByteBuffer dst)
            throws SSLException {
        ByteBuffer source = srcs[first];
        if (source.remaining() >= limit || nextFilled(srcs, first + 1, end) == end) {
            int sourceLimit = source.limit();
            source.limit(source.position() + Math.min(limit, source.remaining()));
            try {
                return inner.wrap(source, dst);
            } finally {
                source.limit(sourceLimit);
            }
        }
        // several buffers make one record: the engine would merge them in a buffer that it never frees
        ByteBuffer merged = RecordBuffers.scratch().limit(limit);
        for (int i = first; i < end && merged.hasRemaining(); i++) {
            ByteBuffer part = srcs[i].duplicate();
            merged.put(part.limit(part.position() + Math.min(part.remaining(), merged.remaining())));
        }
        SSLEngineResult result = inner.wrap(merged.flip(), dst);
        int consumed = result.bytesConsumed();
        for (int i = first; consumed > 0; i++) {
            int part = Math.min(srcs[i].remaining(), consumed);
            srcs[i].position(srcs[i].position() + part);
            consumed -= part;
        }
        return result;
    }

    @Override
    public synchronized SSLEngineResult unwrap(ByteBuffer src, ByteBuffer[] dsts, int offset, int length)
            throws SSLException {
        try {
            SSLEngineResult result = handshakeFinished
                    ? inner.unwrap(src, dsts, offset, length)
                    : unwrapHandshake(src, dsts, offset, length);
            plaintextLeft = result.getStatus() == Status.BUFFER_OVERFLOW;
            return seen(result);
        } catch (SSLException e) {
            failed(e);
            abandon();
            throw e;
        } catch (Exception e) {
            // Throwable: native code may throw undeclared exceptions, and the engine is unusable now
            failed(e);
            abandon();
            throw new SSLException(e.getMessage(), e);
        }
    }

    private SSLEngineResult unwrapHandshake(ByteBuffer src, ByteBuffer[] dsts, int offset, int length)
            throws SSLException {
        HandshakeKeys now = keys;
        HandshakeKeys.enter(now);
        try {
            return inner.unwrap(src, dsts, offset, length);
        } finally {
            HandshakeKeys.leave(now);
        }
    }

    private SSLEngineResult seen(SSLEngineResult result) {
        if (result.getHandshakeStatus() == HandshakeStatus.FINISHED) {
            handshakeFinished = true;
            keys = null;
        }
        return result;
    }

    @Override
    public synchronized void closeInbound() throws SSLException {
        inboundClosed = true;
        discardPlaintext();
        inner.closeInbound();
        if (outboundClosed) {
            release();
        }
    }

    @Override
    public synchronized void closeOutbound() {
        outboundClosed = true;
        inner.closeOutbound();
        if (inboundClosed) {
            release();
        }
    }

    /** The engine has failed and is unusable, except that its alert can still be read. */
    private void abandon() {
        try {
            closeInbound();
            closeOutbound();
        } catch (SSLException | RuntimeException e) {
            // the failure itself was thrown already
        }
    }

    private void discardPlaintext() {
        try {
            while (plaintextLeft) {
                SSLEngineResult result = inner.unwrap(NOTHING, RecordBuffers.scratch());
                plaintextLeft = result.getStatus() == Status.BUFFER_OVERFLOW && result.bytesProduced() > 0;
            }
        } catch (SSLException e) {
            plaintextLeft = false;
        }
    }

    private void release() {
        try {
            while (!inner.isOutboundDone()) {
                ByteBuffer scratch = RecordBuffers.scratch();
                inner.wrap(NOTHING, scratch);
                if (!scratch.flip().hasRemaining()) {
                    return;
                }
                int before = farewell.length;
                farewell = Arrays.copyOf(farewell, before + scratch.remaining());
                scratch.get(farewell, before, farewell.length - before);
            }
        } catch (SSLException e) {
            // nothing to read then
        }
    }

    private SSLEngineResult sayFarewell(ByteBuffer dst) {
        if (dst.remaining() < farewell.length) {
            return new SSLEngineResult(Status.BUFFER_OVERFLOW, HandshakeStatus.NOT_HANDSHAKING, 0, 0);
        }
        int produced = farewell.length;
        dst.put(farewell);
        farewell = new byte[0];
        return new SSLEngineResult(Status.CLOSED, HandshakeStatus.NOT_HANDSHAKING, 0, produced);
    }

    @Override
    public synchronized boolean isOutboundDone() {
        return farewell.length == 0 && inner.isOutboundDone();
    }

    /**
     * Conscrypt (2.9.0) returns null if no protocol was agreed on; for callers of an SSLEngine that means "not yet".
     * Canary: {@code ConscryptDefectsTest.noProtocolIsNull}.
     */
    @Override
    public synchronized @Nullable String getApplicationProtocol() {
        String protocol = inner.getApplicationProtocol();
        return protocol == null && handshakeFinished ? "" : protocol;
    }
}
