package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.Outbound.post;
import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.StreamConnection;

/** What goes out to an upstream by HTTP/2, frame by frame, and what becomes of its answers. */
@ExtendWith(LeakCheck.class)
class OutboundConnectionTest extends OutboundRig {
    private static final byte[] NONE = new byte[0];

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void requestAndResponseWithoutBodies() throws Exception {
        connect(peer -> {
            Frame head = peer.next(HEADERS);
            seen.add(peer.fieldsOf(head));
            seen.add(head.flags() & END_STREAM);
            peer.respond(head.stream(), END_STREAM, "204", "x", "y");
            peer.end();
        });
        assertThat(outbound.get("/a?b").await()).isEqualTo("204 end ended");
        assertThat(seen()).isEqualTo(List.of(":method: GET", ":scheme: http", ":authority: a", ":path: /a?b"));
        assertThat(seen()).isEqualTo(END_STREAM);
        assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS);
    }

    @Test
    void bodyOfKnownLengthEndsWithItsLastBytes() throws Exception {
        connect(peer -> {
            Frame head = peer.next(HEADERS);
            Frame data = peer.next(DATA);
            seen.add(data.payload().length + " " + data.flags());
            peer.respond(head.stream(), 0, "200", "content-length", "3");
            peer.send(DATA, END_STREAM, head.stream(), ascii("abc"));
            peer.end();
        });
        Outbound.Call call = outbound.send(post("content-length", "5"), false).body(new byte[5], () -> null);
        assertThat(call.await()).isEqualTo("200 ended");
        assertThat(call.text()).isEqualTo("abc");
        assertThat(call.taken()).isEqualTo(5);
        assertThat(seen()).isEqualTo("5 1");
    }

    @Test
    void bodyOfUnknownLengthEndsWithTrailersIfThereAreAny() throws Exception {
        connect(peer -> {
            Frame head = peer.next(HEADERS);
            seen.add(peer.fieldsOf(head));
            seen.add(peer.next(DATA).flags());
            Frame end = peer.next(HEADERS);
            seen.add(peer.fieldsOf(end));
            peer.respond(head.stream(), 0, "200");
            peer.send(DATA, 0, head.stream(), ascii("abc"));
            peer.send(HEADERS, END_STREAM | Http2Client.END_HEADERS, head.stream(), Http2Client.fields("sum", "2"));
            peer.end();
        });
        HeaderMap trailers = new HeaderMap();
        trailers.put(new HttpString("Sum"), "1");
        Outbound.Call call = outbound.send(post("x", "y"), false).body(new byte[5], () -> trailers);
        assertThat(call.await()).isEqualTo("200 ended {sum=[2]}");
        assertThat(seen().toString()).contains("x: y");
        assertThat(seen()).isEqualTo(0);
        assertThat(seen()).isEqualTo(List.of("sum: 1"));
    }

    @Test
    void bodyOfUnknownLengthEndsWithAnEmptyFrameElse() throws Exception {
        connect(peer -> {
            Frame head = peer.next(HEADERS);
            peer.next(DATA);
            Frame end = peer.next(DATA);
            seen.add(end.payload().length + " " + end.flags());
            peer.respond(head.stream(), END_STREAM, "200");
            peer.end();
        });
        assertThat(outbound.send(post(), false).body(new byte[5], () -> null).await())
                .isEqualTo("200 end ended");
        assertThat(seen()).isEqualTo("0 1");
    }

    @Test
    void streamsAreAnsweredInAnyOrder() throws Exception {
        connect(peer -> {
            for (int i = 0; i < 3; i++) {
                peer.next(HEADERS);
            }
            for (int stream = 5; stream > 0; stream -= 2) {
                peer.respond(stream, 0, "200");
                peer.send(DATA, END_STREAM, stream, ascii("to " + stream));
            }
            peer.end();
        });
        Outbound.Call first = outbound.get("/1");
        Outbound.Call second = outbound.get("/2");
        Outbound.Call third = outbound.get("/3");
        assertThat(first.await()).isEqualTo("200 ended");
        assertThat(second.await()).isEqualTo("200 ended");
        assertThat(third.await()).isEqualTo("200 ended");
        assertThat(first.text() + second.text() + third.text()).isEqualTo("to 1to 3to 5");
    }

    @Test
    void interimHeadsComeBeforeTheFinalOne() throws Exception {
        connect(peer -> {
            int stream = peer.next(HEADERS).stream();
            peer.respond(stream, 0, "100");
            peer.respond(stream, 0, "103", "link", "x");
            peer.respond(stream, END_STREAM, "200");
            peer.end();
        });
        assertThat(outbound.get("/").await()).isEqualTo("100 103 200 end ended");
    }

    @Test
    void responseToHeadMayTellTheLengthOfABody() throws Exception {
        connect(peer -> {
            peer.respond(peer.next(HEADERS).stream(), END_STREAM, "200", "content-length", "5");
            peer.respond(peer.next(HEADERS).stream(), END_STREAM, "304", "content-length", "5");
            peer.end();
        });
        assertThat(outbound.send(block -> block.start("HEAD", "http", "a", "/"), true)
                        .await())
                .isEqualTo("200 end ended");
        assertThat(outbound.get("/").await()).isEqualTo("304 end ended");
    }

    @Test
    void headThatCannotBeWrittenSendsNothingAndLeavesTheTableAsItIs() throws Exception {
        connect(peer -> {
            seen.add(peer.fieldsOf(peer.next(HEADERS)));
            peer.respond(1, END_STREAM, "200");
            peer.end();
        });
        assertThat(outbound.onThread(() -> {
                    OutboundStream stream = outbound.connection().open(outbound.new Call(false));
                    try {
                        stream.send(
                                block -> {
                                    block.start("GET", "http", "a", "/");
                                    block.field(new HttpString("x-new"), "y");
                                    throw new IllegalStateException("unwritable");
                                },
                                true);
                        return "sent";
                    } catch (IllegalStateException e) {
                        stream.reset(ErrorCode.CANCEL);
                        stream.reset(ErrorCode.CANCEL);
                        return e.getMessage() + outbound.connection().room();
                    }
                }))
                .isEqualTo("unwritable" + Outbound.MOST_STREAMS);
        assertThat(outbound.send(post("x-new", "y"), true).await()).isEqualTo("200 end ended");
        assertThat(seen().toString()).endsWith("x-new: y]");
    }

    @Test
    void resetTellsTheUpstreamAndGivesThePlaceBack() throws Exception {
        connect(
                peer -> {
                    int stream = peer.next(HEADERS).stream();
                    seen.add(stream);
                    seen.add(peer.next(RST_STREAM).code());
                    // what was under way
                    peer.respond(stream, 0, "200");
                    peer.send(DATA, END_STREAM, stream, ascii("late"));
                    peer.respond(peer.next(HEADERS).stream(), END_STREAM, "200");
                    peer.end();
                },
                3,
                1);
        Outbound.Call call = outbound.get("/");
        assertThat(outbound.room()).isZero();
        assertThat(seen()).isEqualTo(1);
        call.reset(ErrorCode.CANCEL);
        call.reset(ErrorCode.CANCEL);
        assertThat(seen()).isEqualTo(ErrorCode.CANCEL);
        assertThat(outbound.room()).isEqualTo(1);
        assertThat(outbound.get("/").await()).isEqualTo("200 end ended");
        assertThat(call.isOver()).as("heard of").isFalse();
    }

    @Test
    void largeBodiesGoBothWaysThroughSmallWindows() throws Exception {
        byte[] upload = new byte[300_000];
        Arrays.fill(upload, (byte) 'x');
        connect(
                peer -> {
                    Frame head = peer.next(HEADERS);
                    int received = 0;
                    while (received < upload.length) {
                        Frame data = peer.next(DATA);
                        received += data.payload().length;
                        byte[] more = {0, 0, (byte) (data.payload().length >> 8), (byte) data.payload().length};
                        peer.send(Http2Client.WINDOW_UPDATE, 0, 0, more);
                        peer.send(Http2Client.WINDOW_UPDATE, 0, head.stream(), more);
                    }
                    seen.add(received);
                    peer.respond(head.stream(), 0, "200");
                    int window = OutboundWindows.STREAM_WINDOW;
                    for (int sent = 0; sent < 1_000_000; sent += 10_000) {
                        while (window < 10_000) {
                            Frame update = peer.read();
                            if (update.type() == Http2Client.WINDOW_UPDATE && update.stream() == head.stream()) {
                                window += ByteBuffer.wrap(update.payload()).getInt();
                            } else if (update.type() == Http2Client.PING) {
                                peer.send(Http2Client.PING, Http2Client.ACK, 0, update.payload());
                            }
                        }
                        window -= 10_000;
                        peer.send(DATA, 0, head.stream(), new byte[10_000]);
                    }
                    peer.send(DATA, END_STREAM, head.stream(), NONE);
                    peer.end();
                },
                4,
                5_000);
        Outbound.Call call = outbound.send(post("content-length", "300000"), false);
        call.body(upload, () -> null);
        assertThat(call.await()).isEqualTo("200 ended");
        assertThat(call.bytes()).hasSize(1_000_000);
        assertThat(seen()).isEqualTo(300_000);
    }

    @Test
    void tunnelIsAConnectionWhoseDirectionsEndOneByOne() throws Exception {
        connect(
                peer -> {
                    Frame head = peer.next(HEADERS);
                    seen.add(peer.fieldsOf(head));
                    peer.respond(head.stream(), 0, "200");
                    peer.send(DATA, 0, head.stream(), ascii("hello"));
                    Frame data = peer.next(DATA);
                    seen.add(new String(data.payload(), StandardCharsets.US_ASCII));
                    peer.send(DATA, END_STREAM, head.stream(), ascii("bye"));
                    Frame end = peer.next(DATA);
                    seen.add(end.flags());
                    peer.end();
                },
                8,
                1);
        assertThat(outbound.onThread(() -> outbound.connection().isExtendedConnect()))
                .isTrue();
        Outbound.Call call = outbound.tunnel();
        call.head();
        StreamConnection tunnel = outbound.onThread(() -> call.stream().tunnel());
        assertThat(seen())
                .isEqualTo(List.of(
                        ":method: CONNECT", ":scheme: http", ":authority: a", ":path: /chat", ":protocol: websocket"));
        assertThat(readFrom(tunnel)).isEqualTo("hello");
        outbound.onThread(() -> {
            tunnel.getSinkChannel().write(ByteBuffer.wrap(ascii("ping")));
            return tunnel.getSinkChannel().flush();
        });
        assertThat(seen()).isEqualTo("ping");
        assertThat(readFrom(tunnel)).isEqualTo("bye");
        assertThat(readFrom(tunnel)).isEqualTo("end");
        outbound.onThread(() -> {
            tunnel.getSinkChannel().shutdownWrites();
            return tunnel.getSinkChannel().flush();
        });
        assertThat(seen()).isEqualTo(END_STREAM);
        outbound.onThread(() -> {
            tunnel.close();
            return null;
        });
        assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS);
    }

    private String readFrom(StreamConnection tunnel) throws Exception {
        CompletableFuture<String> read = new CompletableFuture<>();
        outbound.onThread(() -> {
            tunnel.getSourceChannel().setReadListener(channel -> {
                try {
                    ByteBuffer buffer = ByteBuffer.allocate(100);
                    int count = channel.read(buffer);
                    if (count != 0) {
                        channel.suspendReads();
                        read.complete(
                                count < 0 ? "end" : new String(buffer.array(), 0, count, StandardCharsets.US_ASCII));
                    }
                } catch (IOException e) {
                    channel.suspendReads();
                    read.complete(e.getMessage());
                }
            });
            tunnel.getSourceChannel().resumeReads();
            return null;
        });
        return read.get(30, TimeUnit.SECONDS);
    }

    @Test
    void closeOfATunnelResetsItsStream() throws Exception {
        connect(peer -> {
            peer.respond(peer.next(HEADERS).stream(), 0, "200");
            seen.add(peer.next(RST_STREAM).code());
            peer.end();
        });
        Outbound.Call call = outbound.tunnel();
        call.head();
        outbound.onThread(() -> {
            call.stream().tunnel().close();
            return null;
        });
        assertThat(seen()).isEqualTo(ErrorCode.CANCEL);
        assertThat(call.isOver()).isFalse();
    }

    @Test
    void resetOfATunnelIsFeltByWhoeverReads() throws Exception {
        connect(peer -> {
            peer.respond(peer.next(HEADERS).stream(), 0, "200");
            peer.send(RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
            peer.end();
        });
        Outbound.Call call = outbound.tunnel();
        call.head();
        assertThat(readFrom(outbound.onThread(() -> call.stream().tunnel()))).isEqualTo("the stream was reset");
    }

    @Test
    void windowOfZeroHoldsABodyAndNothingElse() throws Exception {
        connect(
                peer -> {
                    peer.next(HEADERS);
                    peer.respond(peer.next(HEADERS).stream(), END_STREAM, "204");
                    // below zero for what was sent, then open again
                    peer.send(Http2Client.WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 0, 3});
                    seen.add(peer.next(DATA).payload().length);
                    peer.send(Http2Client.SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 2});
                    seen.add(peer.next(DATA).payload().length);
                    peer.send(Http2Client.SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 0});
                    peer.send(Http2Client.WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 0, 2});
                    peer.send(Http2Client.SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 9});
                    Frame rest = peer.next(DATA);
                    seen.add(rest.payload().length + " " + rest.flags());
                    peer.respond(1, END_STREAM, "200");
                    peer.end();
                },
                4,
                0);
        Outbound.Call held = outbound.send(post("content-length", "12"), false);
        CompletableFuture<String> written = held.write(new byte[12], () -> null);
        assertThat(written).isNotDone();
        assertThat(outbound.get("/").await()).isEqualTo("204 end ended");
        assertThat(seen()).isEqualTo(3);
        assertThat(seen()).isEqualTo(2);
        assertThat(seen()).isEqualTo("7 1");
        assertThat(held.await()).isEqualTo("200 end ended");
    }

    @Test
    void whoWaitsForAWindowDoesNotSpin() throws Exception {
        connect(Http2Client::end, 4, 0);
        for (int i = 0; i < 50; i++) {
            outbound.send(post(), false).write(new byte[12], () -> null);
        }
        long before = outbound.cpuNanos();
        outbound.advance(Duration.ofSeconds(1));
        outbound.advance(Duration.ofSeconds(1));
        assertThat(outbound.cpuNanos() - before).isLessThan(TimeUnit.MILLISECONDS.toNanos(150));
    }
}
