package io.webproxy.undertow.http2;

import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.webproxy.undertow.deadline.Guard;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Handles the frames of a client: starts an exchange with each request head, passes all other frames to their stream,
 * and answers malformed requests.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class RequestFrames extends LinkFrames<Http2Stream> implements RequestReader.Handler {
    private static final int BAD_REQUEST = 400;

    private final Http2Connection connection;
    private final Http2Leave leave;

    RequestFrames(Http2Connection connection, Http2Leave leave) {
        super(connection);
        this.connection = connection;
        this.leave = leave;
    }

    @Override
    public void request(int id, RequestFields head, HeaderMap fields, boolean end) {
        Guard.run("the start of an HTTP/2 request", () -> connection.begin(id, head, fields, end), () -> {
            Http2Stream stream = connection.streams.get(id);
            if (stream != null) {
                connection.failed(stream);
            } else if (connection.reader().isOpen(id)) {
                connection.reader().wasReset(id);
                reset(id, ErrorCode.INTERNAL_ERROR);
            }
        });
    }

    @Override
    public void data(int id, ByteBuffer bytes, boolean end) {
        Http2Stream stream = connection.streams.get(id);
        if (stream == null) {
            connection.windows().unread(bytes.remaining());
            return;
        }
        stream.source().received(bytes, end);
        if (end && stream.client() != null) {
            stream.client().requestEnds();
        }
    }

    @Override
    public void trailers(int id, HeaderMap trailers) {
        Http2Stream stream = connection.streams.get(id);
        if (stream != null) {
            stream.http().putAttachment(HttpAttachments.REQUEST_TRAILERS, trailers);
            stream.source().end();
            if (stream.client() != null) {
                stream.client().requestEnds();
            }
        }
    }

    @Override
    public void resetByPeer(int id, int code) {
        connection.gone(connection.streams.get(id));
    }

    @Override
    public void reset(int id, int code) {
        connection.sendReset(id, code);
        connection.gone(connection.streams.get(id));
    }

    @Override
    public void malformed(int id, @Nullable RequestFields head) {
        Http2Stream stream = connection.streams.get(id);
        Http2ClientStream client = stream == null ? null : stream.client();
        boolean answered =
                client == null ? head == null : client.exchange().http().isResponseStarted();
        if (client != null) {
            client.exchange().refused(BAD_REQUEST);
        } else if (head != null && connection.exchanges.recorder().isWanted()) {
            connection.exchanges.recorder().ended(RefusedRequest.record(connection.client(), head));
        }
        if (!answered) {
            connection.heads().refusal(BAD_REQUEST);
            connection.sender().block(id, false);
        }
        reset(id, ErrorCode.PROTOCOL_ERROR);
    }

    @Override
    public void leaving(int last, int code) {
        leave.clientLeaves();
    }

    @Override
    public void pong(long payload) {
        super.pong(payload);
        leave.pong(payload, connection.sweeper.now());
    }
}
