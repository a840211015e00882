package io.webproxy.undertow.http1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import io.webproxy.undertow.deadline.BulkBuffers;
import io.webproxy.undertow.deadline.IoBuffers;
import io.webproxy.undertow.message.ChunkedDecoder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.conduits.StreamSinkConduit;

class ResponseSinkTest {
    private final IoBuffers records = new IoBuffers(17 * 1024, new BulkBuffers());
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private IntSupplier room = () -> Integer.MAX_VALUE;
    private int writes;
    private int largestWrite;
    private int largestBuffer;

    /** A socket that takes as many bytes with each write as {@code room} says. */
    private final StreamSinkConduit socket = (StreamSinkConduit) Proxy.newProxyInstance(
            ResponseSinkTest.class.getClassLoader(),
            new Class<?>[] {StreamSinkConduit.class},
            (proxy, method, arguments) -> switch (method.getName()) {
                case "write" -> {
                    writes++;
                    try (PooledByteBuffer ofTls = records.allocate()) {
                        largestBuffer =
                                Math.max(largestBuffer, ofTls.getBuffer().capacity());
                    }
                    yield arguments[0] instanceof ByteBuffer one
                            ? Integer.valueOf((int) take(new ByteBuffer[] {one}, 0, 1))
                            : (Object) take((ByteBuffer[]) arguments[0], (int) arguments[1], (int) arguments[2]);
                }
                case "flush" -> true;
                case "truncateWrites" -> null;
                default -> throw new AssertionError(method);
            });

    private final DefaultByteBufferPool pool = new DefaultByteBufferPool(false, 1024, -1, 0);
    private final HttpServerExchange http = new HttpServerExchange(null)
            .setRequestMethod(Methods.GET)
            .setProtocol(Protocols.HTTP_1_1)
            .setPersistent(true);

    @AfterEach
    void closePool() {
        pool.close();
    }

    private long take(ByteBuffer[] bytes, int from, int count) {
        int most = room.getAsInt();
        int left = most;
        for (int i = from; i < from + count; i++) {
            for (; left > 0 && bytes[i].hasRemaining(); left--) {
                out.write(bytes[i].get());
            }
        }
        largestWrite = Math.max(largestWrite, most - left);
        return most - left;
    }

    private ResponseSink sink(boolean secure) {
        ResponseSink sink = new ResponseSink(socket, pool, secure ? records : null);
        sink.start(http);
        return sink;
    }

    private String sent() {
        return out.toString(StandardCharsets.ISO_8859_1);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void finish(ResponseSink sink) throws IOException {
        sink.terminateWrites();
        while (!sink.flush()) {
            // the socket takes something with each call, now and again
        }
    }

    private static String decoded(String chunks) {
        ByteBuffer in = bytes(chunks);
        ByteBuffer body = ByteBuffer.allocate(in.remaining());
        ChunkedDecoder decoder = new ChunkedDecoder();
        int length = decoder.decode(in, body);
        assertThat(decoder.problem()).isNull();
        assertThat(decoder.isEnd()).isTrue();
        assertThat(in.hasRemaining()).isFalse();
        return new String(body.array(), 0, length, StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @CsvSource({"false, chunks", "true, chunks", "false, length", "true, length", "false, close", "true, close"})
    void bytesGoOutWholeAndInOrderHoweverFewTheSocketTakes(boolean secure, String form) throws IOException {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            out.reset();
            http.getResponseHeaders().clear();
            http.getResponseHeaders().put(new HttpString("X-Long"), "y".repeat(random.nextInt(3) * 700));
            StringBuilder body = new StringBuilder();
            for (int i = random.nextInt(4000); i > 0; i--) {
                body.append((char) ('a' + i % 26));
            }
            switch (form) {
                case "length" -> http.getResponseHeaders().put(Headers.CONTENT_LENGTH, body.length());
                case "close" -> http.setProtocol(Protocols.HTTP_1_0);
                default -> {}
            }
            ResponseSink sink = sink(secure);
            room = () -> random.nextInt(5) == 0 ? 0 : random.nextInt(1, 600);
            for (int at = 0; at < body.length(); ) {
                int count = Math.min(body.length() - at, random.nextInt(1, 2500));
                ByteBuffer piece = bytes(body.substring(at, at + count));
                while (piece.hasRemaining()) {
                    sink.write(piece);
                    if (random.nextInt(4) == 0) {
                        sink.flush();
                    }
                }
                at += count;
            }
            finish(sink);
            String all = sent();
            int head = all.indexOf("\r\n\r\n") + 4;
            assertThat(all).startsWith("HTTP/1." + (form.equals("close") ? 0 : 1) + " 200 OK\r\n");
            String rest = all.substring(head);
            assertThat(all.substring(0, head).contains("Transfer-Encoding: chunked") ? decoded(rest) : rest)
                    .as("seed %d", seed)
                    .isEqualTo(body.toString());
            sink.reset();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void headAndBodyGoOutInOneWrite(boolean secure) throws IOException {
        http.getResponseHeaders().put(Headers.CONTENT_LENGTH, "2");
        ResponseSink sink = sink(secure);
        sink.write(bytes("ok"));
        finish(sink);
        assertThat(writes).isEqualTo(1);
        assertThat(sent()).isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void chunkGoesOutWithItsFraming(boolean secure) throws IOException {
        ResponseSink sink = sink(secure);
        sink.write(bytes("a chunk of 18 byte"));
        assertThat(writes).isEqualTo(1);
        assertThat(sent()).endsWith("\r\n\r\n12\r\na chunk of 18 byte\r\n");
        HeaderMap trailers = new HeaderMap().put(new HttpString("X-End"), "1\r\nX-Evil: 2");
        http.putAttachment(HttpAttachments.RESPONSE_TRAILERS, trailers);
        finish(sink);
        assertThat(writes).isEqualTo(2);
        assertThat(sent()).endsWith("\r\n0\r\nX-End: 1  X-Evil: 2\r\n\r\n");
    }

    @ParameterizedTest
    @CsvSource({"chunks, 1000000", "length, 1000000", "chunks, 50000"})
    void longBodyGoesThroughTlsByLargeBuffers(String form, int most) throws IOException {
        String body = "0123456789".repeat(12_000);
        if (form.equals("length")) {
            http.getResponseHeaders().put(Headers.CONTENT_LENGTH, body.length());
        }
        room = () -> most;
        ResponseSink sink = sink(true);
        for (ByteBuffer piece = bytes(body); piece.hasRemaining(); ) {
            sink.write(piece);
        }
        assertThat(largestWrite).isGreaterThan(48_000);
        assertThat(largestBuffer).isEqualTo(BulkBuffers.SIZE);
        finish(sink);
        String rest = sent().substring(sent().indexOf("\r\n\r\n") + 4);
        assertThat(form.equals("chunks") ? decoded(rest) : rest).isEqualTo(body);
        largestBuffer = 0;
        assertThat(socket.write(bytes("x"))).isEqualTo(1);
        assertThat(largestBuffer).as("other writes have ordinary buffers").isEqualTo(17 * 1024);
    }

    @ParameterizedTest
    @CsvSource({"GET, 1024, false", "GET, 1025, true", "GET, , true", "HEAD, 1025, false"})
    void responseIsLongIfABufferMayNotHoldIt(String method, Integer length, boolean isLong) {
        http.setRequestMethod(new HttpString(method));
        if (length != null) {
            http.getResponseHeaders().put(Headers.CONTENT_LENGTH, length.toString());
        }
        ResponseSink sink = new ResponseSink(socket, pool, null);
        assertThat(sink.isLong()).isFalse();
        sink.start(http);
        assertThat(sink.isLong()).isEqualTo(isLong);
        sink.reset();
        assertThat(sink.isLong()).isFalse();
    }

    @Test
    void responseWithoutBodySaysSo() throws IOException {
        finish(sink(false));
        assertThat(sent()).isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }

    @ParameterizedTest
    @CsvSource({"HEAD, 200", "GET, 204", "GET, 304"})
    void bodyThatMayNotBeIsLeftOut(String method, int status) throws IOException {
        http.setRequestMethod(new HttpString(method)).setStatusCode(status);
        http.getResponseHeaders().put(Headers.CONTENT_LENGTH, "4");
        ResponseSink sink = sink(false);
        assertThat(sink.write(bytes("body"))).isEqualTo(4);
        finish(sink);
        assertThat(sent()).startsWith("HTTP/1.1 " + status).endsWith("\r\n\r\n");
        assertThat(sent().contains("Content-Length: 4")).isEqualTo(method.equals("HEAD"));
    }

    @ParameterizedTest
    @CsvSource({"HTTP/1.1, true, ''", "HTTP/1.1, false, close", "HTTP/1.0, true, keep-alive", "HTTP/1.0, false, close"})
    void connectionIsSaidToStayOrToEnd(String protocol, boolean persistent, String said) throws IOException {
        http.setProtocol(new HttpString(protocol)).setPersistent(persistent);
        http.getResponseHeaders().put(Headers.CONTENT_LENGTH, "0");
        finish(sink(false));
        assertThat(sent().contains("\r\nConnection: " + said + "\r\n")).isEqualTo(!said.isEmpty());
        assertThat(http.isPersistent()).isEqualTo(persistent);
    }

    @Test
    void nothingInAHeadStartsALine() throws IOException {
        http.setReasonPhrase("Fine\r\nX-Evil: 1");
        http.getResponseHeaders().put(new HttpString("X-A"), "a\r\nX-Evil: 1\0\u010d\u010a\u007fb\tc\u00e9");
        finish(sink(false));
        assertThat(sent()).startsWith("HTTP/1.1 200 Fine  X-Evil: 1\r\n");
        assertThat(sent()).contains("\r\nX-A: a  X-Evil: 1    b\tc\u00e9\r\n");
    }

    @Test
    void interimResponsesGoFirst() throws IOException {
        ResponseSink sink = new ResponseSink(socket, pool, null);
        room = () -> 5;
        sink.interim(103, "", new HeaderMap().put(new HttpString("Link"), "</a>"), http);
        assertThat(sink.sendFraming()).isTrue();
        room = () -> 0;
        sink.interim(102, "Wait", new HeaderMap(), http);
        assertThat(sink.sendFraming()).isFalse();
        room = () -> 7;
        sink.start(http);
        finish(sink);
        assertThat(sent())
                .isEqualTo("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Wait\r\n\r\n"
                        + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }

    /** What isn't sent at once must not stay where the next response of the thread is written. */
    @Test
    void framingThatWaitsIsItsOwn() throws IOException {
        room = () -> 0;
        ResponseSink first = sink(false);
        assertThat(first.write(bytes("first"))).isZero();
        assertThat(first.flush()).isFalse();
        HttpServerExchange other = new HttpServerExchange(null)
                .setRequestMethod(Methods.GET)
                .setProtocol(Protocols.HTTP_1_1)
                .setStatusCode(404);
        other.getResponseHeaders().put(Headers.CONTENT_LENGTH, "0");
        ResponseSink second = new ResponseSink(socket, pool, null);
        second.start(other);
        assertThatThrownBy(() -> second.write(bytes("too much"))).isInstanceOf(IOException.class);
        assertThat(second.flush()).isFalse();
        room = () -> Integer.MAX_VALUE;
        assertThat(first.write(bytes("first"))).isEqualTo(5);
        finish(first);
        assertThat(sent()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n5\r\nfirst\r\n0\r\n\r\n");
        out.reset();
        finish(second);
        assertThat(sent()).startsWith("HTTP/1.1 404 Not Found\r\n").endsWith("Content-Length: 0\r\n\r\n");
    }

    @Test
    void bodyThatIsNotAsLongAsItSaysIsNoCleanEnd() throws IOException {
        http.getResponseHeaders().put(Headers.CONTENT_LENGTH, "3");
        ResponseSink sink = sink(false);
        sink.write(bytes("ab"));
        assertThatThrownBy(sink::terminateWrites).isInstanceOf(IOException.class);
        assertThat(http.isPersistent()).isFalse();
        sink.reset();
        sink.start(http);
        assertThat(sink.write(bytes("abcd"))).isEqualTo(3);
        assertThatThrownBy(() -> sink.write(bytes("d"))).isInstanceOf(IOException.class);
        sink.reset();
    }
}
