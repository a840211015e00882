package io.webproxy.undertow.http2;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Assembles the heads and payloads of HTTP/2 frames from pieces of input. Not thread-safe. */
final class FrameAssembler {
    private final ByteBuffer headBytes = ByteBuffer.allocate(FrameHead.BYTES);
    private @Nullable FrameHead head;
    private @Nullable ByteBuffer pieces;

    /** The head of the current frame, or null if more bytes are needed. */
    @Nullable FrameHead head(ByteBuffer data) {
        if (head == null) {
            while (headBytes.hasRemaining() && data.hasRemaining()) {
                headBytes.put(data.get());
            }
            if (headBytes.hasRemaining()) {
                return null;
            }
            head = FrameHead.of(headBytes.flip());
            headBytes.clear();
        }
        return head;
    }

    /**
     * The payload of the current frame, of {@code DATA} only its pad length; null if more bytes are needed. The next
     * frame starts after it. It may be a part of {@code data}.
     */
    @Nullable ByteBuffer payload(ByteBuffer data) {
        FrameHead of = head;
        if (of == null) {
            throw new IllegalStateException("no head");
        }
        int length = of.type() != FrameHead.DATA ? of.length() : of.has(FrameHead.PADDED) ? 1 : 0;
        if (pieces == null && data.remaining() >= length) {
            ByteBuffer payload = data.slice(data.position(), length);
            data.position(data.position() + length);
            head = null;
            return payload;
        }
        ByteBuffer collected = pieces;
        if (collected == null) {
            collected = ByteBuffer.allocate(length);
            pieces = collected;
        }
        int piece = Math.min(collected.remaining(), data.remaining());
        collected.put(data.slice(data.position(), piece));
        data.position(data.position() + piece);
        if (collected.hasRemaining()) {
            return null;
        }
        head = null;
        pieces = null;
        return collected.flip();
    }

    /** Whether the current frame is part of a field block. */
    boolean isWithinHeaders() {
        return head != null && (head.type() == FrameHead.HEADERS || head.type() == FrameHead.CONTINUATION);
    }
}
