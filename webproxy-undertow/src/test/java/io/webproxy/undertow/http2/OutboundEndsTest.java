package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.Outbound.post;
import static io.webproxy.undertow.testing.Http2Client.ACK;
import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.PING;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.SETTINGS;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How streams and connections to an upstream end, and what may be sent again. */
@ExtendWith(LeakCheck.class)
class OutboundEndsTest extends OutboundRig {
    private final CountDownLatch go = new CountDownLatch(1);

    private static byte[] goAway(int last, int code) {
        return ByteBuffer.allocate(8).putInt(last).putInt(code).array();
    }

    private static byte[] code(int code) {
        return ByteBuffer.allocate(4).putInt(code).array();
    }

    /** Reads on, and answers pings, to the end of the connection. */
    private static void answerPings(Http2Client peer) throws IOException {
        while (true) {
            Frame ping = peer.next(PING);
            if ((ping.flags() & ACK) == 0) {
                peer.send(PING, ACK, 0, ping.payload());
            }
        }
    }

    @Test
    void streamsAboveTheLastOneOfAGoAwayWereNotExecutedAndOthersGoOn() throws Exception {
        connect(peer -> {
            for (int i = 0; i < 3; i++) {
                peer.next(HEADERS);
            }
            peer.send(GOAWAY, 0, 0, goAway(3, 0));
            peer.respond(3, END_STREAM, "200");
            peer.respond(1, 0, "200");
            peer.send(DATA, END_STREAM, 1, new byte[3]);
            seen.add(peer.end());
        });
        Outbound.Call first = outbound.get("/1");
        Outbound.Call second = outbound.get("/2");
        Outbound.Call third = outbound.send(post("content-length", "3"), false);
        assertThat(third.await()).isEqualTo("REFUSED: the upstream left the connection: NO_ERROR");
        assertThat(second.await()).isEqualTo("200 end ended");
        assertThat(first.await()).isEqualTo("200 ended");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
        assertThat(seen()).as("GOAWAY of this side").isEqualTo(0);
        assertThat(outbound.get("/").await()).startsWith("REFUSED");
    }

    @Test
    void goAwayInTwoStepsRefusesInItsSecond() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            peer.send(GOAWAY, 0, 0, goAway(Integer.MAX_VALUE, 0));
            go.await(30, TimeUnit.SECONDS);
            peer.send(GOAWAY, 0, 0, goAway(1, 0));
            peer.send(GOAWAY, 0, 0, goAway(5, 0));
            peer.respond(1, END_STREAM, "200");
            peer.end();
        });
        Outbound.Call first = outbound.get("/1");
        Outbound.Call second = outbound.get("/2");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.room()).isZero();
        Outbound.Call third = outbound.get("/3");
        assertThat(third.await()).startsWith("REFUSED");
        assertThat(second.isOver()).isFalse();
        go.countDown();
        assertThat(second.await()).startsWith("REFUSED");
        assertThat(first.await()).isEqualTo("200 end ended");
        assertThat(outbound.event()).isEqualTo("closed");
    }

    /** An upstream that is killed may have answered: such a request mustn't be sent again. */
    @Test
    void whatAnUpstreamSaidBeforeItWentIsHeardThoughWritingFailsFirst() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            peer.next(HEADERS);
            peer.next(HEADERS);
            seen.add("taken");
            peer.end();
        });
        Outbound.Call answered = outbound.get("/1");
        Outbound.Call begun = outbound.get("/3");
        Outbound.Call refused = outbound.get("/5");
        assertThat(seen()).isEqualTo("taken");
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        sent.writeBytes(Http2Client.frame(HEADERS, END_HEADERS, 1, fields(":status", "200")));
        sent.writeBytes(Http2Client.frame(DATA, END_STREAM, 1, new byte[5]));
        sent.writeBytes(Http2Client.frame(GOAWAY, 0, 0, goAway(3, 0)));
        outbound.gone(sent.toByteArray());
        // it is the head of this one that can't be written
        Outbound.Call unsent = outbound.get("/7");
        assertThat(answered.await()).isEqualTo("200 ended");
        assertThat(answered.bytes()).hasSize(5);
        assertThat(begun.await()).startsWith("CLOSED");
        assertThat(refused.await()).startsWith("REFUSED");
        assertThat(unsent.await()).startsWith("REFUSED");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
    }

    @Test
    void connectionWhoseUpstreamHasGoneIsClosedWithItsLastStream() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            seen.add("taken");
            peer.end();
        });
        Outbound.Call answered = outbound.get("/1");
        assertThat(seen()).isEqualTo("taken");
        outbound.gone(Http2Client.frame(HEADERS, END_HEADERS | END_STREAM, 1, fields(":status", "204")));
        assertThat(outbound.get("/3").await()).startsWith("REFUSED");
        assertThat(answered.await()).isEqualTo("204 end ended");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
    }

    /** Such a request is sent to another upstream: this one must never get it. */
    @Test
    void whatHasNotLeftWhenTheConnectionIsGivenUpDoesNotLeaveAfterwards() throws Exception {
        connect(peer -> {
            go.await(30, TimeUnit.SECONDS);
            peer.send(DATA, 0, 0, new byte[1]);
            seen.add("broken");
            try {
                while (true) {
                    Frame frame = peer.read();
                    if (frame.type() == HEADERS) {
                        seen.add("request");
                    }
                }
            } finally {
                seen.add("end");
            }
        });
        Outbound.Call call = outbound.new Call(false);
        outbound.onThread(() -> {
            go.countDown();
            assertThat(seen()).isEqualTo("broken");
            OutboundStream stream = outbound.connection().open(call);
            stream.send(post(), true);
            return outbound.connection().probe();
        });
        assertThat(call.await()).isEqualTo("REFUSED: the upstream broke the rules of HTTP/2: PROTOCOL_ERROR");
        assertThat(seen()).isEqualTo("end");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
    }

    /** There is nothing to be waited for, not even a sweep. */
    @Test
    void connectionThatEndsIsClosedAtOnceWhenItsUpstreamHasGone() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            seen.add("taken");
            peer.end();
        });
        Outbound.Call call = outbound.get("/");
        assertThat(seen()).isEqualTo("taken");
        outbound.gone(new byte[0]);
        outbound.onThread(() -> {
            outbound.connection().tooSlow(OutboundStream.Failure.CLOSED, "silent");
            return null;
        });
        assertThat(call.await()).isEqualTo("CLOSED: silent");
        assertThat(outbound.event()).isEqualTo("leaving");
        // the clock stands still
        assertThat(outbound.event()).isEqualTo("closed");
    }

    @Test
    void goAwayOfAnIdleConnectionEndsIt() throws Exception {
        connect(peer -> {
            peer.send(GOAWAY, 0, 0, goAway(0, ErrorCode.ENHANCE_YOUR_CALM));
            peer.end();
        });
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
    }

    @Test
    void streamsThatAGoAwayCoversFailWithTheConnection() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            peer.send(GOAWAY, 0, 0, goAway(1, ErrorCode.INTERNAL_ERROR));
        });
        assertThat(outbound.get("/").await()).isEqualTo("CLOSED: the upstream left the connection: INTERNAL_ERROR");
    }

    @Test
    void responseThatIsCompleteSurvivesResetAndClose() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            peer.respond(1, 0, "200");
            peer.send(DATA, END_STREAM, 1, new byte[10_000]);
            peer.send(RST_STREAM, 0, 1, code(ErrorCode.NO_ERROR));
            peer.next(HEADERS);
            peer.respond(3, 0, "200");
            peer.send(DATA, END_STREAM, 3, new byte[10_000]);
        });
        Outbound.Call early = outbound.send(post(), false);
        early.head();
        Outbound.Call unread = outbound.sendUnread(post());
        unread.head();
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
        assertThat(early.await()).isEqualTo("200 ended");
        assertThat(early.bytes()).hasSize(10_000);
        assertThat(early.body(new byte[100_000], () -> null).taken())
                .as("discarded")
                .isZero();
        unread.read();
        assertThat(unread.await()).isEqualTo("200 ended");
        assertThat(unread.bytes()).hasSize(10_000);
    }

    @Test
    void requestWhoseResponseWasReadIsNotSentOn() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            peer.respond(1, END_STREAM, "403");
            seen.add(peer.next(RST_STREAM).code());
            peer.end();
        });
        Outbound.Call call = outbound.send(post("content-length", "1000000"), false);
        CompletableFuture<String> written = call.write(new byte[1_000_000], () -> null);
        assertThat(call.await()).isEqualTo("403 end ended");
        assertThat(seen()).isEqualTo(ErrorCode.NO_ERROR);
        assertThat(written.get(30, TimeUnit.SECONDS)).as("discarded").isEqualTo("written");
        assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5})
    void closeBeforeTheEndFailsTheStream(int length) throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            if (length > 0) {
                peer.respond(1, 0, "200");
                peer.send(DATA, 0, 1, new byte[length]);
            }
        });
        assertThat(outbound.get("/").await())
                .isEqualTo((length > 0 ? "200 " : "") + "CLOSED: the upstream closed the connection");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
    }

    /** The socket's buffers take what they take: what is behind that was never sent. */
    @Test
    void requestThatNeverLeftWasNotExecuted() throws Exception {
        connectNarrowly(
                peer -> {
                    peer.send(Http2Client.WINDOW_UPDATE, 0, 0, code(1 << 30));
                    go.await(30, TimeUnit.SECONDS);
                },
                4,
                1 << 30);
        Outbound.Call upload = outbound.send(post(), false);
        upload.write(new byte[20_000_000], () -> null);
        AtomicLong before = new AtomicLong();
        await().during(Duration.ofMillis(500)).until(() -> {
            long taken = upload.taken();
            return before.getAndSet(taken) == taken
                    && outbound.onThread(() -> outbound.connection().sender().isBlocked());
        });
        Outbound.Call behind = outbound.get("/");
        go.countDown();
        assertThat(behind.await()).isEqualTo("REFUSED: the upstream closed the connection");
        assertThat(upload.await()).startsWith("CLOSED");
    }

    @Test
    void connectionThatIsTakenOutOfServiceEndsWithItsLastStream() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            seen.add("asked");
            go.await(30, TimeUnit.SECONDS);
            peer.respond(1, END_STREAM, "200");
            seen.add(peer.next(GOAWAY).code());
        });
        Outbound.Call call = outbound.get("/");
        assertThat(seen()).isEqualTo("asked");
        outbound.onThread(() -> {
            outbound.connection().leave();
            return null;
        });
        assertThat(outbound.room()).isZero();
        go.countDown();
        assertThat(call.await()).isEqualTo("200 end ended");
        assertThat(seen()).isEqualTo(ErrorCode.NO_ERROR);
        assertThat(outbound.event()).isEqualTo("closed");
    }

    @Test
    void roomFollowsTheUpstreamsLimit() throws Exception {
        connect(
                peer -> {
                    peer.next(HEADERS);
                    peer.next(HEADERS);
                    peer.send(SETTINGS, 0, 0, new byte[] {0, 3, 0, 0, 0, 1});
                    peer.send(SETTINGS, 0, 0, new byte[] {0, 3, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff});
                    peer.respond(1, END_STREAM, "200");
                    peer.end();
                },
                3,
                2);
        assertThat(outbound.room()).isEqualTo(2);
        Outbound.Call first = outbound.get("/");
        assertThat(outbound.room()).isEqualTo(1);
        outbound.get("/");
        assertThat(first.await()).isEqualTo("200 end ended");
        assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS - 1);
        assertThat(outbound.owner).contains("room");
    }

    @Test
    void silenceWithAStreamOpenIsAskedAboutAndEndsTheConnection() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            Frame ping = peer.next(PING);
            seen.add("ping " + ping.flags());
            peer.send(PING, ACK, 0, ping.payload());
            peer.respond(1, 0, "200");
            seen.add("ping " + peer.next(PING).flags());
            seen.add("end " + peer.end());
        });
        Outbound.Call call = outbound.get("/");
        outbound.advance(Duration.ofSeconds(29));
        assertThat(seen).isEmpty();
        outbound.advance(Duration.ofSeconds(2));
        assertThat(seen()).isEqualTo("ping 0");
        call.head();
        outbound.advance(Duration.ofSeconds(29));
        assertThat(seen).isEmpty();
        outbound.advance(Duration.ofSeconds(2));
        assertThat(seen()).isEqualTo("ping 0");
        outbound.advance(Duration.ofSeconds(14));
        assertThat(call.isOver()).isFalse();
        outbound.advance(Duration.ofSeconds(2));
        assertThat(call.await()).isEqualTo("200 CLOSED: the upstream didn't answer a PING");
        assertThat(seen()).isEqualTo("end 0");
    }

    /** Servers of gRPC count pings between which they have sent nothing, and leave with the third. */
    @Test
    void upstreamThatIsAliveAndHasNothingToSayIsAskedRarely() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            while (true) {
                Frame ping = peer.next(PING);
                peer.send(PING, ACK, 0, ping.payload());
                seen.add("ping");
            }
        });
        outbound.get("/");
        outbound.advance(Duration.ofSeconds(31));
        for (int i = 0; i < 2; i++) {
            assertThat(seen()).isEqualTo("ping");
            await().until(() ->
                    outbound.onThread(() -> !outbound.connection().frames().isHeard()));
            outbound.advance(Duration.ofMinutes(5));
            assertThat(seen).isEmpty();
            outbound.advance(Duration.ofSeconds(11));
        }
        assertThat(seen()).isEqualTo("ping");
    }

    /** A process that was stopped finds the answer and the expired wait at once. */
    @Test
    void answerThatHasComeIsReadBeforeTheUpstreamIsTakenForDead() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            Frame ping = peer.next(PING);
            seen.add("asked");
            go.await(30, TimeUnit.SECONDS);
            peer.send(PING, ACK, 0, ping.payload());
            seen.add("answered");
            peer.end();
        });
        Outbound.Call call = outbound.get("/");
        outbound.advance(Duration.ofSeconds(31));
        assertThat(seen()).isEqualTo("asked");
        outbound.onThread(() -> {
            go.countDown();
            assertThat(seen()).isEqualTo("answered");
            outbound.clock.addAndGet(TimeUnit.SECONDS.toNanos(16));
            outbound.connection().waiting().expired(outbound.clock.get());
            return null;
        });
        assertThat(call.isOver()).isFalse();
        assertThat(outbound.onThread(() -> outbound.connection().isOpen())).isTrue();
    }

    @Test
    void idleConnectionIsNotAskedAboutAnything() throws Exception {
        connect(Http2Client::end);
        outbound.advance(Duration.ofMinutes(10));
        outbound.advance(Duration.ofMinutes(10));
        assertThat(outbound.onThread(() -> outbound.connection().isOpen())).isTrue();
        assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS);
    }

    @Test
    void probeSeesAGoAwayThatHasCome() throws Exception {
        connect(peer -> {
            go.await(30, TimeUnit.SECONDS);
            peer.send(GOAWAY, 0, 0, goAway(0, 0));
            seen.add("left");
            peer.end();
        });
        assertThat(outbound.onThread(() -> outbound.connection().probe())).isTrue();
        boolean usable = outbound.onThread(() -> {
            go.countDown();
            assertThat(seen()).isEqualTo("left");
            return outbound.connection().probe();
        });
        assertThat(usable).isFalse();
    }

    @Test
    void probeSeesThatTheUpstreamHasClosed() throws Exception {
        connect(peer -> go.await(30, TimeUnit.SECONDS));
        boolean usable = outbound.onThread(() -> {
            go.countDown();
            await().until(() -> !outbound.connection().probe());
            return outbound.connection().probe();
        });
        assertThat(usable).isFalse();
    }

    @Test
    void clientThatDoesNotReadHoldsNoOtherStreamUp() throws Exception {
        connect(peer -> {
            peer.next(HEADERS);
            peer.respond(1, 0, "200");
            peer.send(DATA, 0, 1, new byte[16_384]);
            peer.send(DATA, 0, 1, new byte[16_384]);
            peer.send(DATA, 0, 1, new byte[16_384]);
            peer.send(DATA, 0, 1, new byte[16_384]);
            // more than the windows of both would be together
            peer.next(HEADERS);
            peer.respond(3, 0, "200");
            int window = OutboundWindows.STREAM_WINDOW;
            for (int sent = 0; sent < 5_000_000; sent += 16_384) {
                while (window < 16_384) {
                    Frame frame = peer.read();
                    if (frame.type() == Http2Client.WINDOW_UPDATE && frame.stream() == 3) {
                        window += frame.lastStream();
                    } else if (frame.type() == Http2Client.WINDOW_UPDATE) {
                        assertThat(frame.stream()).isZero();
                    } else if (frame.type() == PING && frame.flags() == 0) {
                        peer.send(PING, ACK, 0, frame.payload());
                    }
                }
                window -= 16_384;
                peer.send(DATA, 0, 3, new byte[16_384]);
            }
            peer.send(DATA, END_STREAM, 3, new byte[0]);
            peer.send(HEADERS, END_HEADERS | END_STREAM, 1, fields("x", "y"));
            answerPings(peer);
        });
        Outbound.Call slow = outbound.sendUnread(post());
        slow.head();
        Outbound.Call fast = outbound.get("/");
        assertThat(fast.await()).isEqualTo("200 ended");
        slow.read();
        assertThat(slow.await()).isEqualTo("200 ended {x=[y]}");
        assertThat(slow.bytes()).hasSize(65_536);
    }

    /** Each client takes what comes first, because its socket does, and then stops. */
    @Test
    void windowsThatHaveGrownAreBoundedTogether() throws Exception {
        int streams = 40;
        Map<Integer, Integer> granted = new ConcurrentHashMap<>();
        connect(peer -> {
            peer.next(HEADERS);
            peer.respond(1, 0, "200");
            // a distant upstream, whose answers to pings take as long as a window
            long window = OutboundWindows.STREAM_WINDOW;
            byte[] ping = null;
            long roundTrip = 0;
            for (long answerAfter = window; answerAfter < Http2Link.LARGEST_WINDOW; ) {
                while (window < 16_384) {
                    Frame frame = peer.read();
                    if (frame.type() == Http2Client.WINDOW_UPDATE && frame.stream() == 1) {
                        window += frame.lastStream();
                    } else if (frame.type() == PING && frame.flags() == 0) {
                        ping = frame.payload();
                        roundTrip = 0;
                    }
                }
                window -= 16_384;
                peer.send(DATA, 0, 1, new byte[16_384]);
                roundTrip += 16_384;
                outbound.clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(20));
                if (ping != null && roundTrip >= answerAfter) {
                    peer.send(PING, ACK, 0, ping);
                    ping = null;
                    answerAfter *= 2;
                }
            }
            peer.send(DATA, END_STREAM, 1, new byte[0]);
            while (true) {
                Frame frame = peer.read();
                if (frame.type() == HEADERS) {
                    peer.respond(frame.stream(), 0, "200");
                    peer.send(DATA, 0, frame.stream(), new byte[16_384]);
                    peer.send(DATA, 0, frame.stream(), new byte[16_384]);
                } else if (frame.type() == Http2Client.WINDOW_UPDATE && frame.stream() > 1) {
                    granted.merge(frame.stream(), frame.lastStream(), Integer::sum);
                }
            }
        });
        assertThat(outbound.get("/").await()).isEqualTo("200 ended");
        long growth = outbound.onThread(() -> outbound.connection().bodies().growth());
        List<Outbound.Call> calls = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            calls.add(outbound.get("/").head());
        }
        await().until(() ->
                granted.size() == streams && granted.values().stream().anyMatch(most -> most > 1 << 20));
        assertThat(outbound.onThread(() -> outbound.connection().growth.growth()))
                .isGreaterThan(1 << 20);
        assertThat(granted.values().stream().mapToLong(Integer::longValue).sum())
                .isLessThan((long) Http2Link.LARGEST_WINDOW + streams * OutboundWindows.STREAM_WINDOW);
        for (Outbound.Call call : calls) {
            call.reset(ErrorCode.CANCEL);
        }
        assertThat(outbound.onThread(() -> outbound.connection().bodies().growth()))
                .isEqualTo(growth);
    }

    @Test
    void connectionWhoseNumbersAreUsedUpTakesNoMoreStreams() throws Exception {
        connect(peer -> {
            peer.respond(peer.next(HEADERS).stream(), END_STREAM, "200");
            seen.add(peer.end());
        });
        outbound.onThread(() -> outbound.connection().opener().next = Integer.MAX_VALUE);
        assertThat(outbound.get("/").await()).isEqualTo("200 end ended");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
        assertThat(seen()).isEqualTo(ErrorCode.NO_ERROR);
    }

    /** Some servers open windows for each message, however small, and measure round trips with it. */
    @Test
    void manySmallMessagesAreNoFlood() throws Exception {
        int messages = 20_000;
        connect(peer -> {
            peer.next(HEADERS);
            for (int i = 0; i < messages; i++) {
                if (peer.next(DATA).payload().length > 0) {
                    peer.send(Http2Client.WINDOW_UPDATE, 0, 0, code(5));
                    peer.send(Http2Client.WINDOW_UPDATE, 0, 1, code(5));
                    peer.send(PING, 0, 0, new byte[8]);
                }
            }
            peer.respond(1, END_STREAM, "200");
            peer.end();
        });
        Outbound.Call call = outbound.send(post(), false);
        outbound.onThread(() -> {
            call.stream().body(() -> null);
            return null;
        });
        for (int sent = 0; sent < messages; ) {
            sent += outbound.onThread(() -> {
                int taken = 0;
                for (int i = 0; i < 100; i++) {
                    taken += call.stream().sink().write(ByteBuffer.wrap(new byte[1]));
                }
                call.stream().sink().flush();
                return taken;
            });
        }
        assertThat(call.await()).isEqualTo("200 end ended");
    }

    /** The upstream would take them for an attack, and end the connection with the streams of others. */
    @Test
    void clientsThatLeaveAgainAndAgainMoveToAnotherConnection() throws Exception {
        connect(peer -> {
            Frame first = peer.next(HEADERS);
            go.await(30, TimeUnit.SECONDS);
            peer.respond(first.stream(), END_STREAM, "200");
            seen.add(peer.end());
        });
        Outbound.Call bystander = outbound.get("/");
        outbound.onThread(() -> {
            for (int i = 0; i < 1000 && outbound.connection().room() > 0; i++) {
                OutboundStream stream = outbound.connection().open(outbound.new Call(false));
                stream.send(post(), true);
                stream.reset(ErrorCode.CANCEL);
            }
            return null;
        });
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(bystander.isOver()).isFalse();
        go.countDown();
        assertThat(bystander.await()).isEqualTo("200 end ended");
        assertThat(seen()).isEqualTo(ErrorCode.NO_ERROR);
    }

    @Test
    void resetsOverALongTimeAreNothingUnusual() throws Exception {
        connect(Http2Client::end);
        outbound.onThread(() -> {
            for (int i = 0; i < 2000; i++) {
                OutboundStream stream = outbound.connection().open(outbound.new Call(false));
                stream.send(post(), true);
                stream.reset(ErrorCode.CANCEL);
                outbound.clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(40));
            }
            return null;
        });
        assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS);
    }
}
