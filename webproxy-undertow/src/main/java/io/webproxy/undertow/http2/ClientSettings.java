package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.PROTOCOL_ERROR;

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
                        return wrong(PROTOCOL_ERROR);
                    }
                }
                case INITIAL_WINDOW_SIZE -> {
                    if (value > Integer.MAX_VALUE) {
                        return wrong(FLOW_CONTROL_ERROR);
                    }
                    window = (int) value;
                }
                case MAX_FRAME_SIZE -> {
                    if (value < SMALLEST_FRAME || value > LARGEST_FRAME) {
                        return wrong(PROTOCOL_ERROR);
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
}
