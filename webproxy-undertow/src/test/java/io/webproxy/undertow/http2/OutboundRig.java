package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Http2Client;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** A connection to an upstream whose end a test plays, frame by frame. */
abstract class OutboundRig {
    /** What the script has noted for the test. */
    final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();

    private @Nullable RawUpstream upstream;
    /** The connection, once there is one. */
    @Nullable Outbound outbound;

    /** What happens on the upstream's end. */
    interface Script {
        void run(Http2Client peer) throws Exception;
    }

    final Outbound connect(Script script, int... settings) throws Exception {
        return connect(new ServerSocket(0, 100, InetAddress.getLoopbackAddress()), script, settings);
    }

    /** Connects to a peer that takes only a little of what it doesn't read. */
    final Outbound connectNarrowly(Script script, int... settings) throws Exception {
        ServerSocket server = new ServerSocket();
        // Linux lets a receive buffer whose size isn't set grow for as long as the other side sends
        server.setReceiveBufferSize(64 * 1024);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return connect(server, script, settings);
    }

    private Outbound connect(ServerSocket server, Script script, int... settings) throws Exception {
        upstream = RawUpstream.start(server, raw -> script.run(Http2Client.serve(raw, settings)));
        outbound = Outbound.to(upstream.port()).settle();
        return outbound;
    }

    @AfterEach
    void close() throws Exception {
        if (outbound != null) {
            outbound.close();
        }
        if (upstream != null) {
            upstream.close();
            assertThat(upstream.failures()).isEmpty();
        }
    }

    final Object seen() throws InterruptedException {
        return seen.poll(30, TimeUnit.SECONDS);
    }
}
