package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.Outbound.post;
import static io.webproxy.undertow.testing.Http2Client.ACK;
import static io.webproxy.undertow.testing.Http2Client.CONTINUATION;
import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.PADDED;
import static io.webproxy.undertow.testing.Http2Client.PING;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.SETTINGS;
import static io.webproxy.undertow.testing.Http2Client.WINDOW_UPDATE;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bodies go through whole, and nothing waits for ever, whatever an upstream makes of its windows, settings and frames.
 */
@ExtendWith(LeakCheck.class)
class OutboundEchoTest {
    private static final int STREAMS = 60;

    /** An upstream that sends back what it gets, in frames and by windows of any size. */
    private static final class Echo {
        private final Http2Client peer;
        private final Random random;
        private final Map<Integer, Stream> streams = new LinkedHashMap<>();
        private int initial = 65_535;
        private int window = 65_535;
        private int owed;
        private int lowered;

        private final class Stream {
            private final int id;
            private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();
            private int window = initial;
            private int owed;
            private boolean responded;
            private boolean requestEnded;

            Stream(int id) {
                this.id = id;
            }
        }

        Echo(Http2Client peer, Random random) {
            this.peer = peer;
            this.random = random;
        }

        void run() throws IOException {
            while (true) {
                Frame frame = peer.read();
                Stream stream = streams.get(frame.stream());
                switch (frame.type()) {
                    case SETTINGS -> settings(frame);
                    case HEADERS -> {
                        peer.fieldsOf(frame);
                        Stream opened = stream == null ? new Stream(frame.stream()) : stream;
                        streams.put(frame.stream(), opened);
                        opened.requestEnded = (frame.flags() & END_STREAM) != 0;
                    }
                    case DATA -> data(frame, stream);
                    case WINDOW_UPDATE -> {
                        if (frame.stream() == 0) {
                            window += frame.lastStream();
                        } else if (stream != null) {
                            stream.window += frame.lastStream();
                        }
                    }
                    case RST_STREAM -> streams.remove(frame.stream());
                    case PING -> {
                        if ((frame.flags() & ACK) == 0) {
                            peer.send(PING, ACK, 0, frame.payload());
                        }
                    }
                    default -> {
                        // nothing to do
                    }
                }
                act();
            }
        }

        private void settings(Frame frame) throws IOException {
            ByteBuffer payload = ByteBuffer.wrap(frame.payload());
            while (payload.hasRemaining()) {
                int id = payload.getShort();
                int value = payload.getInt();
                initial = id == 4 ? value : initial;
            }
            if ((frame.flags() & ACK) == 0) {
                peer.send(SETTINGS, ACK, 0, new byte[0]);
            }
        }

        private void data(Frame frame, Stream stream) throws IOException {
            owed += frame.payload().length;
            if (stream != null) {
                stream.owed += frame.payload().length;
                stream.waiting.writeBytes(frame.payload());
                stream.requestEnded |= (frame.flags() & END_STREAM) != 0;
            }
        }

        private static byte[] number(int number) {
            return ByteBuffer.allocate(4).putInt(number).array();
        }

        private void open(int id, int bytes) throws IOException {
            if (bytes > 0) {
                peer.send(WINDOW_UPDATE, 0, id, number(bytes));
            }
        }

        /** Something of what could be done; all of it if nothing would come else. */
        private void act() throws IOException {
            if (random.nextInt(50) == 0) {
                lowered = random.nextInt(3) * 3_000 - 3_000;
                peer.send(
                        SETTINGS,
                        0,
                        0,
                        ByteBuffer.allocate(6)
                                .putShort((short) 4)
                                .putInt(Math.max(0, 4_000 + lowered))
                                .array());
            }
            if (random.nextInt(30) == 0) {
                peer.send(PING, 0, 0, new byte[8]);
            }
            open(0, owed);
            owed = 0;
            List<Stream> all = new ArrayList<>(streams.values());
            Collections.shuffle(all, random);
            for (Stream stream : all) {
                open(stream.id, stream.owed);
                stream.owed = 0;
                answer(stream);
            }
        }

        private void answer(Stream stream) throws IOException {
            if (!stream.responded && (stream.requestEnded || random.nextBoolean())) {
                stream.responded = true;
                if (random.nextInt(4) == 0) {
                    peer.respond(stream.id, 0, "103", "link", "x");
                }
                byte[] head = fields(":status", "200", "x", "y".repeat(random.nextInt(300)));
                int cut = 1 + random.nextInt(head.length - 1);
                peer.send(HEADERS, 0, stream.id, Arrays.copyOf(head, cut));
                peer.send(CONTINUATION, END_HEADERS, stream.id, Arrays.copyOfRange(head, cut, head.length));
            }
            byte[] waiting = stream.waiting.toByteArray();
            int at = 0;
            while (stream.responded && at < waiting.length) {
                int length = Math.min(waiting.length - at, 1 + random.nextInt(16_000));
                boolean padded = length > 20 && random.nextInt(5) == 0;
                int payload = length + (padded ? 1 + 7 : 0);
                if (payload > Math.min(window, stream.window) || payload > 16_384) {
                    if (Math.min(window, stream.window) <= 0 || padded) {
                        break;
                    }
                    length = Math.min(length, Math.min(window, stream.window));
                    payload = length;
                    padded = false;
                }
                ByteBuffer bytes = ByteBuffer.allocate(payload);
                if (padded) {
                    bytes.put((byte) 7);
                }
                bytes.put(waiting, at, length);
                peer.send(DATA, padded ? PADDED : 0, stream.id, bytes.array());
                window -= payload;
                stream.window -= payload;
                at += length;
            }
            stream.waiting.reset();
            stream.waiting.write(waiting, at, waiting.length - at);
            if (stream.responded && stream.requestEnded && at == waiting.length) {
                if (random.nextBoolean()) {
                    peer.send(DATA, END_STREAM, stream.id, new byte[0]);
                } else {
                    peer.send(HEADERS, END_STREAM | END_HEADERS, stream.id, fields("sum", "1"));
                }
                streams.remove(stream.id);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void bodiesComeBackAsTheyWent(long seed) throws Exception {
        Random random = new Random(seed);
        try (RawUpstream upstream = RawUpstream.start(raw ->
                        new Echo(Http2Client.serve(raw, 4, 1 + (int) seed * 1_000), new Random(seed)).run());
                Outbound outbound = Outbound.to(upstream.port()).settle()) {
            List<Outbound.Call> calls = new ArrayList<>();
            List<byte[]> bodies = new ArrayList<>();
            for (int i = 0; i < STREAMS; i++) {
                byte[] body = new byte[random.nextInt(random.nextBoolean() ? 200 : 150_000)];
                random.nextBytes(body);
                boolean told = random.nextBoolean();
                Outbound.Call call = outbound.send(
                        told ? post("content-length", String.valueOf(body.length)) : post("x", "y" + i), false);
                if (random.nextInt(10) == 0) {
                    call.write(body, () -> null);
                    call.reset(ErrorCode.CANCEL);
                } else {
                    call.write(body, () -> null);
                    calls.add(call);
                    bodies.add(body);
                }
            }
            for (int i = 0; i < calls.size(); i++) {
                assertThat(calls.get(i).await()).matches("(103 )?200 ended( \\{sum=\\[1]})?");
                assertThat(calls.get(i).bytes()).isEqualTo(bodies.get(i));
            }
            assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS);
            assertThat(outbound.onThread(() -> outbound.connection().isOpen())).isTrue();
            assertThat(upstream.failures()).isEmpty();
        }
    }
}
