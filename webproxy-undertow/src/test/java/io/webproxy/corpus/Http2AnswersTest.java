package io.webproxy.corpus;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** Every case of answers over HTTP/2 in {@code src/test/resources/corpus}. */
@ExtendWith(LeakCheck.class)
class Http2AnswersTest {
    private volatile @Nullable Run now;

    /**
     * One case.
     *
     * @param fates what became of the connection, as its upstream sees it
     */
    private record Run(Http2Answer answer, BlockingQueue<String> fates) {}

    private void serve(Http2Client peer) throws IOException {
        int hostile = 0;
        Run run = null;
        try {
            while (true) {
                Frame frame = peer.read();
                if (run != null && frame.type() == GOAWAY && frame.code() != 0) {
                    run.fates().add("goaway");
                } else if (run != null && frame.type() == RST_STREAM && frame.stream() == hostile) {
                    run.fates().add("reset");
                } else if (frame.type() == HEADERS) {
                    Run next = now;
                    if (next == null || peer.fieldsOf(frame).contains(":path: /good")) {
                        peer.respond(frame.stream(), END_STREAM, "200");
                        if (run != null) {
                            run.fates().add("goes on");
                        }
                    } else {
                        hostile = frame.stream();
                        run = next;
                        if (!next.answer().send(peer, hostile)) {
                            next.fates().add("gone");
                            return;
                        }
                    }
                }
            }
        } catch (IOException e) {
            if (run != null) {
                run.fates().add("gone");
            }
            throw e;
        }
    }

    @TestFactory
    Stream<DynamicTest> answersOverHttp2() throws Exception {
        Path file = Path.of(
                Http2AnswersTest.class.getResource("/corpus/answers.h2answers").toURI());
        RawUpstream upstream = RawUpstream.start(raw -> serve(Http2Client.serve(raw)));
        TestProxy proxy = TestProxy.start(
                Front.H1, b -> b.tuning(t -> t.withIoThreads(1)).forward("h2c://" + upstream.address()));
        return Stream.concat(
                Http2Answer.read(file).stream().map(one -> dynamicTest(one.name(), () -> run(proxy, one))),
                Stream.of(dynamicTest("nothing is left behind", () -> {
                    proxy.close();
                    upstream.close();
                })));
    }

    private void run(TestProxy proxy, Http2Answer one) throws Exception {
        BlockingQueue<String> fates = new LinkedBlockingQueue<>();
        now = new Run(one, fates);
        try (Http2Client client = Http2Client.open(proxy)) {
            client.request(1, one.method(), "/x", "localhost");
            StringBuilder body = new StringBuilder();
            List<String> fields = new ArrayList<>();
            String status = null;
            String end = null;
            while (end == null) {
                Frame frame = client.read(1);
                if (frame.type() == HEADERS) {
                    List<String> head = client.fieldsOf(frame);
                    fields.addAll(head);
                    if (head.get(0).startsWith(":status: ") && !head.get(0).startsWith(":status: 1")) {
                        assertThat(status).isNull();
                        status = head.get(0).substring(9);
                    }
                } else if (frame.type() == DATA) {
                    body.append(new String(frame.payload(), StandardCharsets.ISO_8859_1));
                }
                if (frame.type() == RST_STREAM) {
                    end = "aborted";
                } else if ((frame.type() == DATA || frame.type() == HEADERS) && (frame.flags() & END_STREAM) != 0) {
                    end = "whole";
                }
                assertThat(frame.type()).as("frame").isNotEqualTo(GOAWAY);
            }
            assertThat(status).isIn(one.statuses());
            if (!one.end().equals("any") && !(one.end().equals("aborted") && "502".equals(status))) {
                assertThat(end).isEqualTo(one.end());
            }
            if (one.body() != null) {
                assertThat(body.toString()).isEqualTo(one.body());
            }
            assertThat(fields).containsAll(one.shown());
            client.request(3, "GET", "/good", "localhost");
            assertThat(client.answer(3)).as("a good request behind it").isEqualTo("200");
        }
        assertThat(fates.poll(30, TimeUnit.SECONDS))
                .as("the upstream's connection")
                .isEqualTo(one.peer());
    }
}
