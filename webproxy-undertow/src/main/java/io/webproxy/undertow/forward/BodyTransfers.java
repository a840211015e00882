package io.webproxy.undertow.forward;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import io.undertow.util.Transfer;
import io.webproxy.undertow.relay.BulkBuffers;
import io.webproxy.undertow.upstream.UpstreamConnection;
import java.io.IOException;
import java.nio.channels.Channel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelExceptionHandler;
import org.xnio.ChannelListener;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;

/**
 * The two bodies of an exchange on their way: the request's to the upstream, the response's to the client. A response whose body came with its head is sent and ended
 * at once; all others go by Undertow's transfers.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class BodyTransfers implements ChannelExceptionHandler<Channel> {
    private static final Logger LOG = LoggerFactory.getLogger(BodyTransfers.class);
    private static final ChannelListener<StreamSinkChannel> FLUSHED = ChannelListeners.flushingChannelListener(
            BodyTransfers::rest, ChannelListeners.closingChannelExceptionHandler());

    /** What a transfer finds out. */
    interface Listener {
        /** One side takes or gives no more, and the channel is closed. */
        void transferFailed();
    }

    private final HttpServerExchange http;
    private final BulkBuffers large;
    private final Listener listener;

    BodyTransfers(HttpServerExchange http, BulkBuffers large, Listener listener) {
        this.http = http;
        this.large = large;
        this.listener = listener;
    }

    /** Sends the request's body, after its head. */
    void sendRequest(StreamSinkChannel upstream) {
        if (http.isRequestComplete()) {
            end(upstream);
        } else {
            transfer(http.getRequestChannel(), upstream, buffers());
        }
    }

    /**
     * Sends the response, whose head is made.
     *
     * @param length the body's, -1 if that isn't known
     */
    void sendResponse(StreamSourceChannel body, UpstreamConnection from, long length) {
        StreamSinkChannel client = http.getResponseChannel();
        boolean whole;
        try {
            whole = from.writeWholeBody(client);
        } catch (IOException e) {
            handleException(client, e);
            return;
        }
        if (whole) {
            end(client);
        } else {
            ByteBufferPool usual = buffers();
            boolean isShort = length >= 0 && length <= usual.getBufferSize();
            transfer(body, client, isShort ? usual : new DownloadBuffers(large, usual));
        }
    }

    private ByteBufferPool buffers() {
        return http.getConnection().getByteBufferPool();
    }

    private void transfer(StreamSourceChannel from, StreamSinkChannel to, ByteBufferPool buffers) {
        Transfer.initiateTransfer(from, to, ChannelListeners.closingChannelListener(), this::end, this, this, buffers);
    }

    private void end(StreamSinkChannel channel) {
        try {
            channel.shutdownWrites();
            if (channel.flush()) {
                channel.getWriteSetter().set(null);
            } else {
                channel.getWriteSetter().set(FLUSHED);
                channel.resumeWrites();
            }
        } catch (IOException e) {
            failed(e);
        }
    }

    private static void rest(StreamSinkChannel channel) {
        channel.suspendWrites();
        channel.getWriteSetter().set(null);
    }

    @Override
    public void handleException(Channel channel, IOException e) {
        IoUtils.safeClose(channel);
        listener.transferFailed();
        failed(e);
    }

    private void failed(IOException e) {
        LOG.debug("A body's transfer failed", e);
        if (http.isResponseStarted()) {
            IoUtils.safeClose(http.getConnection());
        } else {
            http.setStatusCode(StatusCodes.INTERNAL_SERVER_ERROR);
            http.endExchange();
        }
    }
}
