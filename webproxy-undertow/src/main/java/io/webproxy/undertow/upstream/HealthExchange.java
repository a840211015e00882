package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.Upstream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * One health check by a {@code GET} over an HTTP/1.1 connection of its own. The head decides; up to 64 KiB of the body
 * are read, so that the upstream can complete it. Not thread-safe: it belongs to the probe's IO thread.
 */
final class HealthExchange implements UpstreamConnection.Keeper, UpstreamListener, ResponseListener, ReadReadyHandler {
    private static final int MOST_BODY = 64 * 1024;

    private final Upstream upstream;
    private final HealthCheck check;
    private final HealthStream.Answer answer;
    private final Runnable over;
    private final ByteBufferPool buffers;
    private @Nullable UpstreamConnection connection;
    private int left = MOST_BODY;
    private boolean closed;

    /**
     * A check that hasn't started.
     *
     * @param answer is called once, unless the check is closed before
     * @param over runs when the connection isn't needed any more
     */
    HealthExchange(
            Upstream upstream, HealthCheck check, HealthStream.Answer answer, Runnable over, ByteBufferPool buffers) {
        this.upstream = upstream;
        this.check = check;
        this.answer = answer;
        this.over = over;
        this.buffers = buffers;
    }

    void start(UpstreamConnection used) {
        connection = used;
        used.exchange(this, this::head, RequestFraming.NONE, false, () -> null);
    }

    private void head(HeadWriter out) {
        out.start("GET", upstream.tls() ? "https" : "http", upstream.authority(), check.path());
        out.field(Headers.USER_AGENT, "webproxy-health");
        out.field(Headers.ACCEPT, "*/*");
        out.field(Headers.CONNECTION, "close");
    }

    /** Idempotent; nothing is reported afterwards. */
    void close() {
        closed = true;
        UpstreamConnection used = connection;
        connection = null;
        if (used != null) {
            used.close();
        }
    }

    @Override
    public void responded(ParsedHead head) {
        int status = head.status();
        boolean good = status >= check.leastStatus() && status <= check.mostStatus();
        answer.answered(good, "status " + status);
        UpstreamConnection used = connection;
        if (!good || used == null) {
            end();
            return;
        }
        used.responseBody(this).setReadReadyHandler(this);
        read(used.responseBody(this));
    }

    @Override
    public void readReady() {
        UpstreamConnection used = connection;
        if (used != null) {
            read(used.responseBody(this));
        }
    }

    private void read(StreamSourceConduit body) {
        try (PooledByteBuffer pooled = buffers.allocate()) {
            ByteBuffer buffer = pooled.getBuffer();
            int read = 0;
            while (!closed && read >= 0 && left > 0) {
                read = body.read(buffer.clear());
                if (read == 0) {
                    body.resumeReads();
                    return;
                }
                left -= read;
            }
        } catch (IOException e) {
            // the result doesn't depend on the body
        }
        end();
    }

    private void end() {
        if (!closed) {
            over.run();
        }
    }

    @Override
    public void failed(ForwardError error, String detail, boolean silent) {
        answer.answered(false, detail);
        end();
    }

    @Override
    public void refused(String detail) {
        failed(ForwardError.UPSTREAM_CLOSED, detail, true);
    }

    @Override
    public void release(UpstreamConnection served) {
        served.close();
    }

    @Override
    public boolean resumed(UpstreamConnection kept) {
        return false;
    }

    @Override
    public void closed(UpstreamConnection gone) {
        // a health check's connection has no other owner
    }

    @Override
    public void forceTermination() {
        end();
    }

    @Override
    public void terminated() {
        end();
    }

    @Override
    public void requestBytesTaken(long bytes) {
        // the time limit applies to the whole check
    }

    @Override
    public void requestBodyWrong(String problem) {
        // there is no request body
    }

    @Override
    public void interim(ParsedHead head) {
        // the final head decides
    }

    @Override
    public void responseBytes(long bytes) {
        // bytes are counted where they are read
    }

    @Override
    public void responsePaused() {
        // interim responses don't matter
    }

    @Override
    public void responseEnded(HeaderMap trailers) {
        // the read reports it too
    }

    @Override
    public void responseBroken(String detail) {
        // the read throws
    }
}
