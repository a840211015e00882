package io.webproxy.blackbox.upstreams;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An upstream of HTTP/2 goes and comes back, over and over, under load: no idempotent request is lost, and none that
 * isn't is executed twice.
 */
@ExtendWith(LeakCheck.class)
class Http2UpstreamRestartTest {
    private static final int REQUESTS = 2000;
    private static final int CLIENTS = 16;
    /** So many requests are taken on a connection before the upstream goes. */
    private static final int BETWEEN = 40;

    enum Way {
        /** GOAWAY, then what was taken is answered, and the connection is closed. */
        LEAVES,
        /** The connection breaks: what was executed and not answered is lost. */
        BREAKS
    }

    private final Map<String, AtomicInteger> executed = new ConcurrentHashMap<>();
    private final AtomicInteger ends = new AtomicInteger();
    private final ScheduledExecutorService late = Executors.newSingleThreadScheduledExecutor();

    private void serve(Http2Client peer, Way way) throws IOException {
        Map<Integer, String> heads = new ConcurrentHashMap<>();
        int taken = 0;
        while (true) {
            Frame frame = peer.read();
            if (frame.type() == HEADERS) {
                List<String> fields = peer.fieldsOf(frame);
                heads.put(frame.stream(), fields.get(0) + fields.get(3));
            }
            if ((frame.type() != HEADERS && frame.type() != DATA) || (frame.flags() & END_STREAM) == 0) {
                continue;
            }
            executed.computeIfAbsent(heads.get(frame.stream()), key -> new AtomicInteger())
                    .incrementAndGet();
            if (++taken == BETWEEN) {
                ends.incrementAndGet();
                if (way == Way.BREAKS) {
                    peer.reset();
                    return;
                }
                leave(peer, frame.stream(), heads);
                return;
            }
            int stream = frame.stream();
            // late, so that requests are under way when it ends
            late.schedule(() -> answer(peer, stream, heads), 2, TimeUnit.MILLISECONDS);
        }
    }

    private static void answer(Http2Client peer, int stream, Map<Integer, String> heads) {
        synchronized (heads) {
            if (heads.remove(stream) != null) {
                try {
                    peer.respond(stream, END_STREAM, "200");
                } catch (IOException e) {
                    // it has gone
                }
            }
        }
    }

    /** What has a number up to the last is answered, its body read before. */
    private void leave(Http2Client peer, int last, Map<Integer, String> heads) throws IOException {
        synchronized (heads) {
            peer.send(
                    GOAWAY, 0, 0, ByteBuffer.allocate(8).putInt(last).putInt(0).array());
        }
        heads.keySet().removeIf(stream -> stream > last);
        answer(peer, last, heads);
        while (isAnyWaited(heads)) {
            Frame frame = peer.read();
            if ((frame.type() == DATA || frame.type() == HEADERS)
                    && (frame.flags() & END_STREAM) != 0
                    && heads.containsKey(frame.stream())) {
                executed.computeIfAbsent(heads.get(frame.stream()), key -> new AtomicInteger())
                        .incrementAndGet();
                answer(peer, frame.stream(), heads);
            }
        }
        // a close with something unread would be a reset, and take answers back that are on their way
        peer.end();
    }

    /** Not while an answer is being sent. */
    private static boolean isAnyWaited(Map<Integer, String> heads) {
        synchronized (heads) {
            return !heads.isEmpty();
        }
    }

    @AfterEach
    void stop() {
        late.shutdownNow();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void noIdempotentRequestIsLostAndNoOtherExecutedTwice(Way way) throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        AtomicInteger next = new AtomicInteger();
        Map<String, Integer> answers = new ConcurrentHashMap<>();
        try (RawUpstream upstream = RawUpstream.start(raw -> serve(Http2Client.serve(raw), way));
                TestProxy proxy = TestProxy.start(Front.H1, "h2c://" + upstream.address())) {
            Callable<Void> load = () -> {
                for (int id = next.incrementAndGet(); id <= REQUESTS; id = next.incrementAndGet()) {
                    Request.Builder request = new Request.Builder().url(proxy.url("/" + id));
                    boolean post = id % 4 == 0;
                    if (post) {
                        request.post(RequestBody.create("some".getBytes(StandardCharsets.US_ASCII)));
                    }
                    try (Response response =
                            proxy.client().newCall(request.build()).execute()) {
                        answers.put((post ? ":method: POST:path: /" : ":method: GET:path: /") + id, response.code());
                    }
                }
                return null;
            };
            List<Future<Void>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                running.add(clients.submit(load));
            }
            for (Future<Void> each : running) {
                each.get(60, TimeUnit.SECONDS);
            }
            assertThat(upstream.failures()).isEmpty();
        } finally {
            clients.shutdownNow();
        }
        assertThat(ends.get()).isGreaterThan(10);
        assertThat(answers).hasSize(REQUESTS);
        answers.forEach((what, status) -> {
            if (way == Way.LEAVES || what.startsWith(":method: GET")) {
                assertThat(status).as(what).isEqualTo(200);
            } else {
                assertThat(status).as(what).isIn(200, 502);
            }
            if (status == 200) {
                assertThat(executed).containsKey(what);
            }
        });
        executed.forEach((what, times) -> {
            if (way == Way.LEAVES || what.startsWith(":method: POST")) {
                assertThat(times.get()).as(what).isEqualTo(1);
            }
        });
    }
}
