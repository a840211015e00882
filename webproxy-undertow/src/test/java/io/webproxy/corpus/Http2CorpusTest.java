package io.webproxy.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.webproxy.corpus.CorpusCase.State;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** Every case of hostile requests over HTTP/2 in {@code src/test/resources/corpus}. */
@ExtendWith(LeakCheck.class)
class Http2CorpusTest {
    private static final byte[] REPLY =
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII);

    @TestFactory
    Stream<DynamicTest> overHttp2() throws Exception {
        Path file = Path.of(
                Http2CorpusTest.class.getResource("/corpus/http2.h2corpus").toURI());
        CorpusProxy proxy = CorpusProxy.start(Front.H2_TLS, Set.of());
        return Stream.concat(
                Http2Case.read(file).stream().map(one -> dynamicTest(one.name(), () -> run(proxy, one))),
                Stream.of(dynamicTest("nothing is left behind", proxy::close)));
    }

    private static void run(CorpusProxy proxy, Http2Case one) throws Exception {
        proxy.upstream().script(REPLY, CorpusCase.ReplyEnd.KEEP);
        try (Http2Client client = proxy.connectHttp2()) {
            send(client, one);
            assertThat(client.answer(1)).as("the answer to %s", one).isIn(one.answers());
            if (one.expected().state() == State.OPEN) {
                client.request(3, "GET", CorpusUpstream.MARKER, "localhost");
                assertThat(client.answer(3)).as("a good request behind it").isEqualTo("200");
            }
        }
        CorpusCheck.good(proxy);
        if (one.aborted() == null) {
            CorpusCheck.upstreamSaw(proxy.upstream(), one.expected());
        } else {
            CorpusCheck.upstreamSawNoEndOf(one.aborted(), proxy.upstream());
        }
    }

    private static void send(Http2Client client, Http2Case one) throws IOException {
        byte[] block = Http2Client.fields(one.fields().toArray(new String[0]));
        byte[] data = one.data();
        boolean trailers = !one.trailers().isEmpty();
        client.sendBlock(data == null && !trailers ? Http2Client.END_STREAM : 0, 1, block, 16_384);
        if (data != null) {
            client.send(Http2Client.DATA, trailers ? 0 : Http2Client.END_STREAM, 1, data);
        }
        if (trailers) {
            client.sendBlock(
                    Http2Client.END_STREAM, 1, Http2Client.fields(one.trailers().toArray(new String[0])), 16_384);
        }
    }
}
