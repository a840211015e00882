package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import io.webproxy.ErrorPages;
import io.webproxy.http.Answer;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.message.Grpc;
import io.webproxy.undertow.message.HttpDate;
import io.webproxy.undertow.message.MethodNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/**
 * A response made by the proxy. It never waits for the request body: if the request isn't complete, the connection ends
 * after the response. Making one never throws: what fails is logged, and the client gets a bare 500, or else an abort,
 * for nothing else would end the exchange.
 */
public final class LocalAnswer implements Expiry {
    /** The body of a response that has none. */
    private static final byte[] NO_BODY = {};

    private static final String FAILED = "The server failed to make an answer.";

    private final Exchange exchange;
    private final int status;
    private final byte[] body;
    private final @Nullable String contentType;

    private LocalAnswer(Exchange exchange, int status, byte[] body, @Nullable String contentType) {
        this.exchange = exchange;
        this.status = status;
        this.body = body;
        this.contentType = contentType;
    }

    /**
     * Refuses a request that breaks a rule or a limit; the detail is the response's body, so it must not repeat
     * anything of the request.
     */
    public static void reject(Exchange exchange, int status, String detail) {
        reject(exchange, status, detail, Map.of());
    }

    /** The same, with further response fields that say what would be accepted. */
    public static void reject(Exchange exchange, int status, String detail, Map<String, List<String>> fields) {
        exchange.failed(ForwardError.REQUEST_REJECTED);
        exchange.http().setPersistent(false);
        send(exchange, status, detail, fields);
    }

    /** Answers with a status, a short explanation and fields. */
    public static void send(Exchange exchange, int status, String detail, Map<String, List<String>> fields) {
        guarded(exchange, () -> make(exchange, status, detail, fields));
    }

    private static void make(Exchange exchange, int status, String detail, Map<String, List<String>> fields) {
        HttpServerExchange http = exchange.http();
        exchange.answered();
        if (http.isResponseStarted() || exchange.isEnded()) {
            exchange.client().abort();
            return;
        }
        HeaderMap out = http.getResponseHeaders();
        fields.forEach((name, values) -> values.forEach(value -> out.add(new HttpString(name), value)));
        GrpcCall call = exchange.grpc();
        if (call != null && status >= 300) {
            start(ofCall(exchange, call, status, detail));
            return;
        }
        Answer page = status < 400 ? null : page(exchange, status);
        if (page != null) {
            page.headers().forEach((name, values) -> {
                // fields that belong to the status stay
                if (!out.contains(name)) {
                    out.addAll(new HttpString(name), values);
                }
            });
            start(new LocalAnswer(exchange, status, page.body(), null));
            return;
        }
        String accept = http.getRequestHeaders().getFirst(Headers.ACCEPT);
        boolean problem =
                accept != null && (accept.contains("application/problem+json") || accept.contains("application/json"));
        String text = problem
                ? "{\"type\":\"about:blank\",\"title\":\"" + reason(status) + "\",\"status\":" + status
                        + ",\"detail\":\"" + detail.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}"
                : status + " " + reason(status) + ": " + detail + "\n";
        start(new LocalAnswer(
                exchange,
                status,
                text.getBytes(StandardCharsets.UTF_8),
                problem ? "application/problem+json" : "text/plain; charset=utf-8"));
    }

    private static @Nullable Answer page(Exchange exchange, int status) {
        ErrorPages pages = exchange.errorPages();
        return pages == null
                ? null
                : pages.page(status, Optional.ofNullable(exchange.error()), exchange.head())
                        .orElse(null);
    }

    /** Sends a response of the application or the operator as it is. */
    public static void answer(Exchange exchange, Answer answer) {
        guarded(exchange, () -> make(exchange, answer));
    }

    private static void make(Exchange exchange, Answer answer) {
        exchange.answered();
        answer.headers()
                .forEach((name, values) -> exchange.http().getResponseHeaders().addAll(new HttpString(name), values));
        GrpcCall call = exchange.grpc();
        if (call != null && answer.status() >= 300) {
            start(ofCall(exchange, call, answer.status(), reason(answer.status())));
            return;
        }
        if (call != null) {
            call.ended(exchange.http().getResponseHeaders());
        }
        start(new LocalAnswer(exchange, answer.status(), answer.body(), null));
    }

    /** Answers 200 with this content. */
    public static void content(Exchange exchange, String contentType, byte[] content) {
        exchange.answered();
        start(new LocalAnswer(exchange, StatusCodes.OK, content, contentType));
    }

    private static void guarded(Exchange exchange, Runnable step) {
        Guard.run("an answer", step, () -> failed(exchange));
    }

    /** An answer couldn't be made, such as one with too many fields of one name. */
    private static void failed(Exchange exchange) {
        exchange.failed(ForwardError.APPLICATION_FAILED);
        exchange.http().getResponseHeaders().clear();
        GrpcCall call = exchange.grpc();
        LocalAnswer bare = call != null
                ? ofCall(exchange, call, 500, FAILED)
                : new LocalAnswer(exchange, 500, FAILED.getBytes(StandardCharsets.UTF_8), "text/plain; charset=utf-8");
        Runnable abort = exchange.client()::abort;
        exchange.http().dispatch(SameThreadExecutor.INSTANCE, () -> Guard.run("an answer", bare::start, abort));
    }

    /** Answers a gRPC call: a trailers-only response with the gRPC status. */
    private static LocalAnswer ofCall(Exchange exchange, GrpcCall call, int status, String detail) {
        HeaderMap fields = exchange.http().getResponseHeaders();
        Grpc.end(fields, call.statusOf(status), detail);
        call.ended(fields);
        return new LocalAnswer(exchange, StatusCodes.OK, NO_BODY, Grpc.TYPE);
    }

    private static void start(LocalAnswer answer) {
        Exchange exchange = answer.exchange;
        exchange.http().dispatch(SameThreadExecutor.INSTANCE, () -> guarded(exchange, answer::start));
    }

    private static String reason(int status) {
        // RFC 9110 section 15.5.20, which Undertow 2.4.4 doesn't know; canary:
        // UndertowDefectsTest.statusesOfLaterRfcsAreUnknown
        return status == 421 ? "Misdirected Request" : StatusCodes.getReason(status);
    }

    private void start() {
        HttpServerExchange http = exchange.http();
        if (exchange.isEnded() || http.isResponseStarted()) {
            exchange.client().abort();
            return;
        }
        exchange.client().unwatch();
        http.setStatusCode(status);
        http.setReasonPhrase(reason(status));
        if (contentType != null) {
            http.getResponseHeaders().put(Headers.CONTENT_TYPE, contentType);
        }
        if (body == NO_BODY) {
            http.getResponseHeaders().remove(Headers.CONTENT_LENGTH);
        } else if (status != StatusCodes.NO_CONTENT && status != StatusCodes.NOT_MODIFIED) {
            http.getResponseHeaders().put(Headers.CONTENT_LENGTH, body.length);
        }
        if (!http.getResponseHeaders().contains(Headers.DATE)) {
            http.getResponseHeaders().put(Headers.DATE, HttpDate.now());
        }
        if (!http.isRequestComplete() || exchange.client().isLeaving()) {
            http.setPersistent(false);
        }
        boolean noBody = MethodNames.isHead(http.getRequestMethod());
        StreamSinkChannel channel = http.getResponseChannel();
        if (channel == null) {
            exchange.client().abort();
            return;
        }
        ByteBuffer left = noBody ? ByteBuffer.allocate(0) : ByteBuffer.wrap(body);
        boolean headAlone = exchange.client().isWithoutWindow();
        exchange.sent(left.remaining());
        exchange.limits().answering(this);
        channel.getWriteSetter().set(ready -> write(channel, left));
        if (headAlone) {
            flushHead(channel);
        }
        write(channel, left);
    }

    private static void flushHead(StreamSinkChannel channel) {
        try {
            channel.flush();
        } catch (IOException e) {
            // the next write finds that out too
        }
    }

    @Override
    public void idle() {
        exchange.failed(ForwardError.CLIENT_ABORTED);
        exchange.client().abort();
    }

    @Override
    public void overdue() {
        idle();
    }

    @Override
    public void lasting(long now) {
        if (exchange.client().isMultiplexed()) {
            exchange.client().watchForAbort(this::idle);
        }
    }

    @Override
    public void cut() {
        exchange.client().abort();
    }

    @Override
    public void requestBroken(int ignored, String detail) {
        // the rest of the body is discarded
    }

    private void write(StreamSinkChannel channel, ByteBuffer left) {
        try {
            while (left.hasRemaining()) {
                if (channel.write(left) == 0) {
                    channel.resumeWrites();
                    return;
                }
            }
            channel.shutdownWrites();
            if (!channel.flush()) {
                channel.resumeWrites();
                return;
            }
            channel.suspendWrites();
            channel.getWriteSetter().set(null);
            if (!exchange.http().isRequestComplete()) {
                exchange.client().finishEarly();
            }
        } catch (IOException e) {
            exchange.failed(ForwardError.CLIENT_ABORTED);
            exchange.client().abort();
        }
    }

    /** The status and text for a failure before the response head, or null if it can't be answered. */
    public static @Nullable Failure failureOf(ForwardError error) {
        return switch (error) {
            case CONNECT_REFUSED, CONNECT_UNREACHABLE, DNS, CONNECT_TLS ->
                new Failure(502, "The service after this proxy can't be reached.");
            case CONNECT_TIMEOUT ->
                new Failure(504, "The service after this proxy didn't accept the connection in time.");
            case NO_HEALTHY_UPSTREAM ->
                new Failure(503, "The service after this proxy fails its health check; try again.");
            case POOL_EXHAUSTED -> new Failure(503, "The service after this proxy is busy; try again.");
            case UPSTREAM_PROTOCOL ->
                new Failure(502, "The service after this proxy can't be reached over HTTP/2, which is needed here.");
            case UPSTREAM_CLOSED ->
                new Failure(502, "The service after this proxy closed the connection without an answer.");
            case INVALID_RESPONSE, RESPONSE_HEAD_TOO_LARGE ->
                new Failure(502, "The service after this proxy gave an answer that isn't valid HTTP.");
            case RESPONSE_HEAD_TIMEOUT, TOTAL_TIMEOUT ->
                new Failure(504, "The service after this proxy didn't answer in time.");
            case APPLICATION_FAILED -> new Failure(500, "The service failed to handle this request.");
            case REQUEST_REJECTED -> new Failure(400, "The request can't be forwarded.");
            case RESPONSE_BODY_TRUNCATED, RESPONSE_BODY_IDLE, CLIENT_ABORTED -> null;
        };
    }

    /** The answer to a failure. */
    public record Failure(int status, String text) {
        public Map<String, List<String>> fields() {
            return status == 503 ? Map.of("Retry-After", List.of("1")) : Map.of();
        }
    }
}
