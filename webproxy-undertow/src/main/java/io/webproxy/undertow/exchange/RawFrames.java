package io.webproxy.undertow.exchange;

import io.undertow.protocols.http2.Http2Channel;
import io.undertow.protocols.http2.Http2HeadersStreamSinkChannel;
import io.undertow.server.protocol.framed.SendFrameHeader;
import io.undertow.util.ImmediatePooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;

/** Frames that go to the client as they are, in their turn among Undertow's. They are a frame of headers to Undertow, because no other kind can be made from outside. */
final class RawFrames extends Http2HeadersStreamSinkChannel {
    private final ByteBuffer frames;

    private RawFrames(Http2Channel channel, ByteBuffer frames) {
        super(channel, 0);
        this.frames = frames;
    }

    /** Sends them. */
    static void send(Http2Channel channel, ByteBuffer frames) throws IOException {
        RawFrames sent = queue(channel, frames);
        if (!sent.flush()) {
            sent.getWriteSetter()
                    .set(ChannelListeners.flushingChannelListener(null, (broken, e) -> IoUtils.safeClose(channel)));
            sent.resumeWrites();
        }
    }

    /** Sends them together with the frame that is sent next. */
    static RawFrames queue(Http2Channel channel, ByteBuffer frames) throws IOException {
        RawFrames queued = new RawFrames(channel, frames);
        queued.shutdownWrites();
        return queued;
    }

    @Override
    protected SendFrameHeader createFrameHeaderImpl() {
        return new SendFrameHeader(new ImmediatePooledByteBuffer(frames));
    }
}
