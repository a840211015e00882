package io.webproxy.undertow.exchange;

import io.undertow.protocols.http2.Http2Channel;
import java.io.IOException;

/** A GOAWAY frame without an error (RFC 9113 section 6.8) after which the connection goes on, which Undertow's own ends. */
final class GoAwayFrame {
    /** The last stream of a connection that takes others for now. */
    static final int ANY_STREAM = Integer.MAX_VALUE;

    private GoAwayFrame() {}

    /** Sends one; streams above {@code lastStream} are not, and will not be, looked at. */
    static void send(Http2Channel channel, int lastStream) throws IOException {
        RawFrames.send(
                channel,
                new FrameHead(8, FrameHead.GOAWAY, 0, 0)
                        .frame()
                        .putInt(lastStream)
                        .putInt(Http2Channel.ERROR_NO_ERROR)
                        .flip());
    }
}
