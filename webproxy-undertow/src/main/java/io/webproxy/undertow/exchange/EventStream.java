package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.undertow.util.SameThreadExecutor;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.message.HttpDate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/**
 * A response of the proxy's own that lasts: messages that come by and by. A client that doesn't keep up misses some:
 * one is being written, and only the newest one waits. It is dropped when nothing of a message could be written for 10
 * s.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
public final class EventStream implements Expiry {
    private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Exchange exchange;
    private final Map<String, String> fields;
    private final Runnable onEnd;
    private @Nullable StreamSinkChannel channel;
    private @Nullable ByteBuffer writing;
    private byte @Nullable [] next;
    private long since;
    private boolean ending;
    private boolean over;
    private boolean told;

    private EventStream(Exchange exchange, Map<String, String> fields, Runnable onEnd) {
        this.exchange = exchange;
        this.fields = fields;
        this.onEnd = onEnd;
    }

    /**
     * Answers 200 with these fields and without a message yet.
     *
     * @param onEnd runs once, when the client has left or the stream has ended
     */
    public static EventStream open(Exchange exchange, Map<String, String> fields, Runnable onEnd) {
        EventStream stream = new EventStream(exchange, fields, onEnd);
        exchange.answered();
        exchange.http().dispatch(SameThreadExecutor.INSTANCE, stream::start);
        return stream;
    }

    private void start() {
        HttpServerExchange http = exchange.http();
        if (exchange.isEnded() || http.isResponseStarted()) {
            abort();
            return;
        }
        exchange.client().unwatch();
        http.setStatusCode(200);
        fields.forEach((name, value) -> http.getResponseHeaders().put(new HttpString(name), value));
        http.getResponseHeaders().put(new HttpString("Date"), HttpDate.now());
        if (!http.isRequestComplete()) {
            http.setPersistent(false);
        }
        StreamSinkChannel opened = http.getResponseChannel();
        if (opened == null) {
            abort();
            return;
        }
        channel = opened;
        since = exchange.shared().nanoClock().getAsLong();
        exchange.limits().answering(this);
        opened.getWriteSetter().set(ready -> write());
        write();
    }

    /** The exchange of the stream. */
    public Exchange exchange() {
        return exchange;
    }

    /** Sends a message as soon as the one before has gone; it takes the place of one that still waits. */
    public void send(byte[] message) {
        if (!over && !ending) {
            next = message;
            if (channel != null && writing == null) {
                write();
            }
        }
    }

    /** Ends the stream after the message that is being written. */
    public void end() {
        if (!over && !ending) {
            ending = true;
            if (channel != null) {
                write();
            }
        }
    }

    private void write() {
        StreamSinkChannel to = channel;
        if (over || to == null) {
            return;
        }
        try {
            while (true) {
                if (writing == null && next != null) {
                    writing = ByteBuffer.wrap(next);
                    next = null;
                    since = exchange.shared().nanoClock().getAsLong();
                }
                if (!moved(to)) {
                    to.resumeWrites();
                    return;
                }
                writing = null;
                if (next == null) {
                    break;
                }
            }
            if (ending) {
                to.shutdownWrites();
            }
            if (!to.flush()) {
                to.resumeWrites();
                return;
            }
            to.suspendWrites();
            since = exchange.shared().nanoClock().getAsLong();
            if (ending) {
                complete(to);
            }
        } catch (IOException e) {
            clientGone();
        }
    }

    private boolean moved(StreamSinkChannel to) throws IOException {
        ByteBuffer left = writing;
        while (left != null && left.hasRemaining()) {
            int wrote = to.write(left);
            if (wrote == 0) {
                return false;
            }
            exchange.sent(wrote);
            exchange.limits().activity();
            since = exchange.shared().nanoClock().getAsLong();
        }
        // what is left in buffers holds the next message back
        return left == null || to.flush();
    }

    private void complete(StreamSinkChannel to) {
        over = true;
        to.getWriteSetter().set(null);
        if (!exchange.http().isRequestComplete()) {
            exchange.client().finishEarly();
        }
    }

    private void abort() {
        over = true;
        exchange.client().abort();
        tell();
    }

    private void tell() {
        if (!told) {
            told = true;
            onEnd.run();
        }
    }

    private void clientGone() {
        if (!over) {
            exchange.failed(ForwardError.CLIENT_ABORTED);
            abort();
        }
    }

    private boolean isWaiting() {
        return writing != null || ending || next != null;
    }

    @Override
    public void idle() {
        clientGone();
    }

    @Override
    public void overdue() {
        clientGone();
    }

    @Override
    public void lasting(long now) {
        if (over) {
            return;
        }
        if (isWaiting() && now - since > STALL_NANOS) {
            clientGone();
            return;
        }
        exchange.client().watchForAbort(this::clientGone);
        if (exchange.isEnding()) {
            end();
        }
    }

    @Override
    public void cut() {
        abort();
    }

    @Override
    public void requestBroken(int status, String detail) {
        // the rest of the body is discarded
    }

    @Override
    public void ended() {
        over = true;
        tell();
    }
}
