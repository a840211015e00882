package io.webproxy.undertow.exchange;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

/**
 * What every byte for an HTTP/1.1 client passes: an answer that Undertow gives by itself, to a request that no handler of ours has seen, is told to the
 * {@link HeadGate}, and not to the client. All else passes untouched.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class AnswerGate extends AbstractStreamSinkConduit<StreamSinkConduit> {
    private static final int STATUS = "HTTP/1.1 ".length();
    private static final int REASON = STATUS + 4;
    private static final int LONGEST_LINE = 128;

    private final HeadGate gate;

    AnswerGate(StreamSinkConduit next, HeadGate gate) {
        super(next);
        this.gate = gate;
    }

    private boolean isKept(ByteBuffer first) {
        if (!gate.isRefused() && gate.isUndertows()) {
            byte[] start = new byte[Math.min(first.remaining(), LONGEST_LINE)];
            first.duplicate().get(start);
            String line = new String(start, StandardCharsets.ISO_8859_1);
            int end = line.indexOf('\r');
            gate.undertowAnswers(status(line), end < REASON ? "" : line.substring(REASON, end));
        }
        return gate.isRefused();
    }

    private static int status(String line) {
        try {
            return Integer.parseInt(line.substring(STATUS, STATUS + 3));
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            return 500;
        }
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        return isKept(src) ? 0 : next.write(src);
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        return length > 0 && isKept(srcs[offset]) ? 0 : next.write(srcs, offset, length);
    }

    @Override
    public int writeFinal(ByteBuffer src) throws IOException {
        return isKept(src) ? 0 : next.writeFinal(src);
    }

    @Override
    public long writeFinal(ByteBuffer[] srcs, int offset, int length) throws IOException {
        return length > 0 && isKept(srcs[offset]) ? 0 : next.writeFinal(srcs, offset, length);
    }

    @Override
    public long transferFrom(FileChannel src, long position, long count) throws IOException {
        return gate.isRefused() ? 0 : next.transferFrom(src, position, count);
    }

    @Override
    public long transferFrom(StreamSourceChannel source, long count, ByteBuffer throughBuffer) throws IOException {
        return gate.isRefused() ? 0 : next.transferFrom(source, count, throughBuffer);
    }

    @Override
    public void terminateWrites() throws IOException {
        if (!gate.isRefused()) {
            next.terminateWrites();
        }
    }

    @Override
    public boolean flush() throws IOException {
        return !gate.isRefused() && next.flush();
    }

    @Override
    public void resumeWrites() {
        if (!gate.isRefused()) {
            next.resumeWrites();
        }
    }

    @Override
    public void wakeupWrites() {
        if (!gate.isRefused()) {
            next.wakeupWrites();
        }
    }
}
