package io.webproxy.undertow.exchange;

import io.undertow.protocols.http2.Http2Channel;
import io.undertow.protocols.http2.Http2HeadersStreamSinkChannel;
import io.undertow.server.protocol.framed.SendFrameHeader;
import io.undertow.util.ImmediatePooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;

/**
 * A GOAWAY frame without an error (RFC 9113 section 6.8) behind which the connection goes on, which Undertow's own ends. It is a frame of headers to Undertow,
 * because no other kind can be made from outside.
 */
final class GoAwayFrame extends Http2HeadersStreamSinkChannel {
    /** The last stream of a connection that takes others for now. */
    static final int ANY_STREAM = Integer.MAX_VALUE;

    private final int lastStream;

    private GoAwayFrame(Http2Channel channel, int lastStream) {
        super(channel, 0);
        this.lastStream = lastStream;
    }

    /** Sends one; streams above {@code lastStream} are not, and will not be, looked at. */
    static void send(Http2Channel channel, int lastStream) throws IOException {
        GoAwayFrame frame = new GoAwayFrame(channel, lastStream);
        frame.shutdownWrites();
        if (!frame.flush()) {
            frame.getWriteSetter()
                    .set(ChannelListeners.flushingChannelListener(null, (broken, e) -> IoUtils.safeClose(channel)));
            frame.resumeWrites();
        }
    }

    @Override
    protected SendFrameHeader createFrameHeaderImpl() {
        ByteBuffer frame = new FrameHead(8, FrameHead.GOAWAY, 0, 0)
                .frame()
                .putInt(lastStream)
                .putInt(Http2Channel.ERROR_NO_ERROR)
                .flip();
        return new SendFrameHeader(new ImmediatePooledByteBuffer(frame));
    }
}
