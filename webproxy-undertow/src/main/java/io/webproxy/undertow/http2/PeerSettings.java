package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.PROTOCOL_ERROR;

import java.nio.ByteBuffer;

/**
 * The peer's settings that matter here (RFC 9113 section 6.5.2). Immutable.
 *
 * @param leastTable the smallest HPACK table size on the way to the last one, -1 if none
 * @param table the last one, -1 if none
 * @param window of streams, -1 if none
 * @param longestFrame that the peer accepts, -1 if none
 * @param streams its limit of concurrent streams, -1 if none; at most 2^31 - 1
 * @param connectProtocol whether it accepts extended CONNECT (RFC 8441 section 3): 1 or 0, -1 if not set
 * @param push whether it enables server push
 * @param error the error that ends the connection, -1 if none
 */
record PeerSettings(
        int leastTable,
        int table,
        int window,
        int longestFrame,
        int streams,
        int connectProtocol,
        boolean push,
        int error) {
    private static final int HEADER_TABLE_SIZE = 1;
    private static final int ENABLE_PUSH = 2;
    private static final int MAX_CONCURRENT_STREAMS = 3;
    private static final int INITIAL_WINDOW_SIZE = 4;
    private static final int MAX_FRAME_SIZE = 5;
    private static final int ENABLE_CONNECT_PROTOCOL = 8;
    /** The peer may accept more, but this side needn't keep more. */
    private static final int LARGEST_TABLE = 4096;

    private static final int SMALLEST_FRAME = 1 << 14;
    private static final int LARGEST_FRAME = (1 << 24) - 1;

    /** The settings of a peer that has set nothing. */
    static final PeerSettings NONE = wrong(-1);

    static PeerSettings of(ByteBuffer payload) {
        int leastTable = -1;
        int table = -1;
        int window = -1;
        int frame = -1;
        int streams = -1;
        int connectProtocol = -1;
        boolean push = false;
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
                    push = value == 1;
                }
                case MAX_CONCURRENT_STREAMS -> streams = (int) Math.min(Integer.MAX_VALUE, value);
                case ENABLE_CONNECT_PROTOCOL -> {
                    if (value > 1) {
                        return wrong(PROTOCOL_ERROR);
                    }
                    connectProtocol = (int) value;
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
                    // the peer's limit of head sizes, which is only advisory, and unknown settings
                }
            }
        }
        return new PeerSettings(leastTable, table, window, frame, streams, connectProtocol, push, -1);
    }

    private static PeerSettings wrong(int error) {
        return new PeerSettings(-1, -1, -1, -1, -1, -1, false, error);
    }
}
