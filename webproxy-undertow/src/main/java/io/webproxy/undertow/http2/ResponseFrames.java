package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.http2.OutboundStream.Failure;
import java.nio.ByteBuffer;

/**
 * Handles the frames of an upstream: passes each to its stream, and ends streams that break the protocol.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ResponseFrames extends LinkFrames<OutboundStream> implements ResponseReader.Handler {
    private final OutboundConnection connection;
    private boolean extendedConnect;
    /** A frame of a stream has arrived since the last PONG: gRPC servers count pings without such frames. */
    private boolean heard = true;

    ResponseFrames(OutboundConnection connection) {
        super(connection);
        this.connection = connection;
    }

    /** Whether the upstream supports extended CONNECT (RFC 8441); known when its settings have arrived. */
    boolean isExtendedConnect() {
        return extendedConnect;
    }

    /** Whether a frame of a stream has arrived since the last PONG. */
    boolean isHeard() {
        return heard;
    }

    @Override
    public void settings(PeerSettings changed) {
        if (changed.streams() >= 0) {
            connection.opener().allowed(changed.streams());
        }
        if (changed.connectProtocol() >= 0) {
            extendedConnect = changed.connectProtocol() == 1;
        }
        super.settings(changed);
    }

    @Override
    public void interim(int id, int status, HeaderMap fields) {
        heard = true;
        OutboundStream stream = connection.streams.get(id);
        if (stream != null) {
            guarded(stream, () -> stream.interim(status, fields));
        }
    }

    @Override
    public void response(int id, int status, HeaderMap fields, boolean end) {
        heard = true;
        OutboundStream stream = connection.streams.get(id);
        if (stream != null) {
            guarded(stream, () -> stream.head(status, fields, end));
            connection.completed(stream);
        }
    }

    @Override
    public void data(int id, ByteBuffer bytes, boolean end) {
        heard = true;
        int length = bytes.remaining();
        connection.windows().received(length);
        OutboundStream stream = connection.streams.get(id);
        if (stream != null) {
            stream.received(length);
            stream.source().received(bytes, end);
            connection.completed(stream);
        }
    }

    @Override
    public void trailers(int id, HeaderMap trailers) {
        heard = true;
        OutboundStream stream = connection.streams.get(id);
        if (stream != null) {
            stream.trailers(trailers);
            connection.completed(stream);
        }
    }

    @Override
    public void resetByPeer(int id, int code) {
        OutboundStream stream = connection.streams.get(id);
        if (stream != null) {
            stream.resetBy(code);
            boolean refused = code == ErrorCode.REFUSED_STREAM && !stream.isResponded();
            connection.fail(
                    stream,
                    refused ? Failure.REFUSED : Failure.RESET,
                    "the upstream reset the stream: " + ErrorCode.name(code));
        }
    }

    @Override
    public void reset(int id, int code) {
        connection.sendReset(id, code);
        invalid(id, Failure.INVALID, "the upstream broke the rules of a stream: " + ErrorCode.name(code));
    }

    @Override
    public void malformed(int id, String why) {
        connection.sendReset(id, ErrorCode.PROTOCOL_ERROR);
        invalid(id, Failure.INVALID, why);
    }

    @Override
    public void tooLarge(int id, String limit) {
        connection.sendReset(id, ErrorCode.CANCEL);
        invalid(id, Failure.HEAD_TOO_LARGE, limit);
    }

    private void invalid(int id, Failure why, String detail) {
        OutboundStream stream = connection.streams.get(id);
        if (stream != null) {
            connection.fail(stream, why, detail);
        }
    }

    @Override
    public void leaving(int last, int code) {
        connection.left(last, code);
    }

    @Override
    public void pong(long payload) {
        super.pong(payload);
        heard = false;
    }

    private static void guarded(OutboundStream stream, Runnable step) {
        Guard.run("a response over HTTP/2", step, stream::failed);
    }
}
