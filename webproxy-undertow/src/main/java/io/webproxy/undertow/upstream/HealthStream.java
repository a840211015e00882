package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.http2.OutboundConnection;
import io.webproxy.undertow.http2.OutboundStream;
import io.webproxy.undertow.http2.RequestBlock;
import io.webproxy.undertow.message.Grpc;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * One health check over an HTTP/2 connection of its own: a {@code GET}, or a call of
 * {@code grpc.health.v1.Health/Check}. Not thread-safe: it belongs to the probe's IO thread.
 */
final class HealthStream implements OutboundConnection.Owner, OutboundStream.Listener {
    /** The response of the gRPC health protocol has two bytes, after five with its length. */
    private static final int MOST_ANSWER = 256;

    private static final String FOR_GRPC = " (expected: HealthCheck.grpc() for a service of gRPC)";

    private final Upstream upstream;
    private final HealthCheck check;
    private final Answer answer;
    private final ByteBuffer request;
    private final ByteBuffer message = ByteBuffer.allocate(MOST_ANSWER);
    private @Nullable OutboundConnection connection;
    private @Nullable OutboundStream stream;

    /** Is told the result; only the first call counts. */
    interface Answer {
        void answered(boolean good, String detail);
    }

    HealthStream(Upstream upstream, HealthCheck check, Answer answer) {
        this.upstream = upstream;
        this.check = check;
        this.answer = answer;
        this.request = request(check.grpcService().orElse(""));
    }

    /**
     * {@code HealthCheckRequest}, whose first field is the service, after the length that gRPC puts before a message.
     */
    static ByteBuffer request(String service) {
        byte[] name = service.getBytes(StandardCharsets.UTF_8);
        ByteBuffer field = ByteBuffer.allocate(name.length + 6);
        if (name.length > 0) {
            field.put((byte) 0x0a);
            int length = name.length;
            for (; length > 0x7f; length >>>= 7) {
                field.put((byte) (length | 0x80));
            }
            field.put((byte) length).put(name);
        }
        field.flip();
        return ByteBuffer.allocate(5 + field.remaining())
                .put((byte) 0)
                .putInt(field.remaining())
                .put(field)
                .flip();
    }

    /**
     * Whether a message, with its length before it, is a {@code HealthCheckResponse} with {@code SERVING}: its first
     * field is 1. Other fields are skipped.
     */
    static boolean isServing(ByteBuffer answered) {
        if (answered.remaining() < 5 || answered.get() != 0 || answered.getInt() != answered.remaining()) {
            return false;
        }
        boolean serving = false;
        while (answered.hasRemaining()) {
            long tag = varint(answered);
            long value = 0;
            long skip = 0;
            switch ((int) tag & 7) {
                case 0 -> value = varint(answered);
                case 1 -> skip = 8;
                case 2 -> skip = varint(answered);
                case 5 -> skip = 4;
                default -> skip = -1;
            }
            if (tag < 0 || value < 0 || skip < 0 || skip > answered.remaining()) {
                return false;
            }
            if (tag == 0x08) {
                serving = value == 1;
            }
            answered.position(answered.position() + (int) skip);
        }
        return serving;
    }

    /** A varint of protobuf, or -1 if it is malformed or above 2^62. */
    private static long varint(ByteBuffer from) {
        long value = 0;
        for (int shift = 0; from.hasRemaining() && shift < 63; shift += 7) {
            byte next = from.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        return -1;
    }

    void start(OutboundConnection over) {
        connection = over;
        over.start();
    }

    void close() {
        OutboundConnection used = connection;
        connection = null;
        if (used != null) {
            used.close();
        }
    }

    @Override
    public void settled() {
        OutboundConnection over = connection;
        if (over == null || stream != null) {
            return;
        }
        boolean grpc = check.grpcService().isPresent();
        OutboundStream opened = over.open(this);
        stream = opened;
        opened.send(block -> head(block, grpc), !grpc);
        if (grpc) {
            StreamSinkConduit body = opened.body(() -> null);
            body.setWriteReadyHandler(new WriteReadyHandler() {
                @Override
                public void writeReady() {
                    send(body);
                }

                @Override
                public void forceTermination() {}

                @Override
                public void terminated() {}
            });
            send(body);
        }
    }

    private void head(RequestBlock block, boolean grpc) {
        block.start(grpc ? "POST" : "GET", upstream.tls() ? "https" : "http", upstream.authority(), check.path());
        block.field(Headers.USER_AGENT, "webproxy-health");
        if (grpc) {
            block.field(Headers.TE, "trailers");
            block.field(Headers.CONTENT_TYPE, "application/grpc");
            block.field(Grpc.TIMEOUT, Grpc.timeout(check.timeout().toNanos()));
        } else {
            block.field(Headers.ACCEPT, "*/*");
        }
    }

    private static String refusal(@Nullable String status) {
        String remedy = switch (String.valueOf(status)) {
            case "5" -> " (expected: a service that its health service knows, or HealthCheck.grpc() for all)";
            case "12" -> " (expected: a server with the service grpc.health.v1.Health)";
            default -> "";
        };
        return "grpc-status " + status + remedy;
    }

    private void send(StreamSinkConduit body) {
        try {
            while (request.hasRemaining()) {
                if (body.write(request) == 0) {
                    body.resumeWrites();
                    return;
                }
            }
            body.terminateWrites();
            if (body.flush()) {
                body.suspendWrites();
            } else {
                body.resumeWrites();
            }
        } catch (IOException e) {
            answer.answered(false, "the connection broke off");
        }
    }

    @Override
    public void head(int status, HeaderMap fields, boolean end) {
        if (check.grpcService().isEmpty()) {
            answer.answered(
                    status >= check.leastStatus() && status <= check.mostStatus(),
                    "status " + status + (fields.contains(Grpc.STATUS) ? FOR_GRPC : ""));
        } else if (status != 200 || !Grpc.isCall(fields.getFirst(Headers.CONTENT_TYPE))) {
            answer.answered(false, "status " + status + " and no answer of gRPC");
        } else if (end) {
            answer.answered(false, refusal(fields.getFirst(Grpc.STATUS)));
        } else {
            StreamSourceConduit body = Objects.requireNonNull(stream).response();
            body.setReadReadyHandler(new ReadReadyHandler() {
                @Override
                public void readReady() {
                    read(body);
                }

                @Override
                public void forceTermination() {}

                @Override
                public void terminated() {}
            });
            body.resumeReads();
        }
    }

    private void read(StreamSourceConduit body) {
        try {
            int read;
            do {
                read = body.read(message);
            } while (read > 0 && message.hasRemaining());
            if (!message.hasRemaining()) {
                answer.answered(false, "the answer is too long");
            }
        } catch (IOException e) {
            answer.answered(false, "the connection broke off");
        }
    }

    @Override
    public void ended(HeaderMap trailers) {
        String status = trailers.getFirst(Grpc.STATUS);
        if (!"0".equals(status)) {
            answer.answered(false, refusal(status));
        } else {
            answer.answered(isServing(message.flip()), "not SERVING");
        }
    }

    @Override
    public void failed(OutboundStream.Failure failure, String detail) {
        boolean refusesGet =
                failure == OutboundStream.Failure.RESET && check.grpcService().isEmpty();
        answer.answered(false, refusesGet ? detail + FOR_GRPC : detail);
    }

    @Override
    public void closed() {
        OutboundConnection over = connection;
        String without = over != null && over.isHttp11() ? SharedConnections.HTTP11 : SharedConnections.NO_HTTP2;
        answer.answered(
                false,
                stream == null ? "it" + without : "it closed the connection before its answer's head was complete");
    }

    @Override
    public void requestWrong(String problem) {
        answer.answered(false, problem);
    }

    @Override
    public void bytesTaken(long bytes) {}

    @Override
    public void interim(int status, HeaderMap fields) {}

    @Override
    public void bytes(long bytes) {}

    @Override
    public void paused() {}

    @Override
    public void roomChanged() {}

    @Override
    public void leaving() {}
}
