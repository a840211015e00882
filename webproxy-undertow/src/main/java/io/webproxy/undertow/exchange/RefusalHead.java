package io.webproxy.undertow.exchange;

import io.undertow.util.DateUtils;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import org.jspecify.annotations.Nullable;

/**
 * The head of the answer to a malformed request (RFC 9113 section 8.1.1): a HEADERS frame with 400 that doesn't end its stream, because a reset follows. It leaves
 * the state of HPACK as it is, so that Undertow's encoder needn't know of it.
 */
final class RefusalHead {
    /** {@code :status: 400} of the static table (RFC 7541 appendix A). */
    private static final byte STATUS_400 = (byte) 0x8c;
    /** A literal that isn't indexed, whose name is {@code date} of the static table (RFC 7541 section 6.2.2). */
    private static final byte[] DATE = {0x0f, 33 - 15};

    private static final int SIZE_UPDATE = 0x20;
    private static final int SIZE_PREFIX = 31;
    private static final int MOST_BYTES = 64;

    private RefusalHead() {}

    /**
     * The frame, or null where the encoder owes the client more than one change of its table: then only the reset can be sent.
     *
     * @param client what the client has set so far
     */
    static @Nullable ByteBuffer of(int stream, ClientSettings client, Date now) {
        if (client.leastTable() < client.table()) {
            return null;
        }
        ByteBuffer block = ByteBuffer.allocate(MOST_BYTES);
        if (client.table() >= 0) {
            // due in the first block after the client's change, else without effect (RFC 7541 section 4.2)
            resize(block, client.table());
        }
        byte[] date = DateUtils.toDateString(now).getBytes(StandardCharsets.US_ASCII);
        block.put(STATUS_400).put(DATE).put((byte) date.length).put(date).flip();
        return new FrameHead(block.remaining(), FrameHead.HEADERS, FrameHead.END_HEADERS, stream)
                .frame()
                .put(block)
                .flip();
    }

    /** RFC 7541 sections 6.3 and 5.1. */
    private static void resize(ByteBuffer block, int size) {
        if (size < SIZE_PREFIX) {
            block.put((byte) (SIZE_UPDATE | size));
            return;
        }
        block.put((byte) (SIZE_UPDATE | SIZE_PREFIX));
        int rest = size - SIZE_PREFIX;
        while (rest > 127) {
            block.put((byte) (rest & 127 | 128));
            rest >>= 7;
        }
        block.put((byte) rest);
    }
}
