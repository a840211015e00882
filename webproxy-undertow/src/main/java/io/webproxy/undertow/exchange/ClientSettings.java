package io.webproxy.undertow.exchange;

import static io.undertow.protocols.http2.Http2Channel.ERROR_FLOW_CONTROL_ERROR;
import static io.undertow.protocols.http2.Http2Channel.ERROR_PROTOCOL_ERROR;

import java.nio.ByteBuffer;

/**
 * The settings of a client that matter here (RFC 9113 section 6.5.2). Immutable.
 *
 * @param leastTable the smallest table size for HPACK that was said on the way to the last one, -1 if none
 * @param table the last one, -1 if none
 * @param window of streams, -1 if none
 * @param longestFrame that the client takes, -1 if none
 * @param error why the connection is to be ended, -1 if not
 */
record ClientSettings(int leastTable, int table, int window, int longestFrame, int error) {
    private static final int HEADER_TABLE_SIZE = 1;
    private static final int ENABLE_PUSH = 2;
    private static final int INITIAL_WINDOW_SIZE = 4;
    private static final int MAX_FRAME_SIZE = 5;
    /** A client may take more, but a server needn't keep more. */
    private static final int LARGEST_TABLE = 4096;

    private static final int SMALLEST_FRAME = 1 << 14;
    private static final int LARGEST_FRAME = (1 << 24) - 1;

    /** Those of a client that has set nothing. */
    static final ClientSettings NONE = wrong(-1);

    static ClientSettings of(ByteBuffer payload) {
        int leastTable = -1;
        int table = -1;
        int window = -1;
        int frame = -1;
        while (payload.hasRemaining()) {
            int id = payload.getShort() & 0xffff;
            long value = payload.getInt() & 0xffffffffL;
            switch (id) {
                case HEADER_TABLE_SIZE -> {
                    table = (int) Math.min(LARGEST_TABLE, value);
                    leastTable = leastTable < 0 ? table : Math.min(leastTable, table);
                }
                case ENABLE_PUSH -> {
                    if (value > 1) {
                        return wrong(ERROR_PROTOCOL_ERROR);
                    }
                }
                case INITIAL_WINDOW_SIZE -> {
                    if (value > Integer.MAX_VALUE) {
                        return wrong(ERROR_FLOW_CONTROL_ERROR);
                    }
                    window = (int) value;
                }
                case MAX_FRAME_SIZE -> {
                    if (value < SMALLEST_FRAME || value > LARGEST_FRAME) {
                        return wrong(ERROR_PROTOCOL_ERROR);
                    }
                    frame = (int) value;
                }
                default -> {
                    // how many streams we may open, how long our fields may be: nothing that a server with responses of
                    // its own could use
                }
            }
        }
        return new ClientSettings(leastTable, table, window, frame, -1);
    }

    private static ClientSettings wrong(int error) {
        return new ClientSettings(-1, -1, -1, -1, error);
    }

    /** What is in force when these follow on others. */
    ClientSettings after(ClientSettings before) {
        return new ClientSettings(
                least(before.leastTable, leastTable),
                last(before.table, table),
                last(before.window, window),
                last(before.longestFrame, longestFrame),
                error);
    }

    private static int least(int before, int now) {
        return before < 0 || now < 0 ? Math.max(before, now) : Math.min(before, now);
    }

    private static int last(int before, int now) {
        return now < 0 ? before : now;
    }

    /** The frame that says no more than this. */
    ByteBuffer frame() {
        ByteBuffer payload = ByteBuffer.allocate(24);
        put(payload, HEADER_TABLE_SIZE, leastTable < table ? leastTable : -1);
        put(payload, HEADER_TABLE_SIZE, table);
        put(payload, INITIAL_WINDOW_SIZE, window);
        put(payload, MAX_FRAME_SIZE, longestFrame);
        payload.flip();
        return new FrameHead(payload.remaining(), FrameHead.SETTINGS, 0, 0)
                .frame()
                .put(payload)
                .flip();
    }

    private static void put(ByteBuffer payload, int id, int value) {
        if (value >= 0) {
            payload.putShort((short) id).putInt(value);
        }
    }
}
