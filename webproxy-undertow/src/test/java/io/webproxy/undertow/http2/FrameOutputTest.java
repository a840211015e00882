package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.xnio.conduits.StreamSinkConduit;

class FrameOutputTest {
    private static final int RECORD = 16 * 1024;

    private final CountingPool pool = new CountingPool(17 * 1024);
    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    private final List<Integer> writes = new ArrayList<>();
    private int takes = Integer.MAX_VALUE;
    private boolean flushes = true;
    private final FrameOutput output = new FrameOutput(socket(), pool);

    /** Takes {@link #takes} bytes at most in all. */
    private StreamSinkConduit socket() {
        return (StreamSinkConduit) Proxy.newProxyInstance(
                FrameOutputTest.class.getClassLoader(),
                new Class<?>[] {StreamSinkConduit.class},
                (me, method, args) -> {
                    switch (method.getName()) {
                        case "write" -> {
                            ByteBuffer bytes = (ByteBuffer) args[0];
                            int count = Math.min(takes, bytes.remaining());
                            takes -= count;
                            byte[] some = new byte[count];
                            bytes.get(some);
                            taken.writeBytes(some);
                            writes.add(count);
                            return count;
                        }
                        case "flush" -> {
                            return flushes;
                        }
                        default -> throw new IllegalStateException(method.getName());
                    }
                });
    }

    private record Frame(FrameHead head, byte[] payload) {}

    private List<Frame> frames() {
        List<Frame> frames = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(taken.toByteArray());
        while (bytes.hasRemaining()) {
            FrameHead head = FrameHead.of(bytes);
            byte[] payload = new byte[head.length()];
            bytes.get(payload);
            frames.add(new Frame(head, payload));
        }
        return frames;
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private static byte[] joined(List<Frame> frames) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        frames.forEach(frame -> all.writeBytes(frame.payload()));
        return all.toByteArray();
    }

    @Test
    void framesOfNumbersAndSettings() throws IOException {
        output.settings(3, 100, 4, 1 << 20);
        output.frame(FrameHead.SETTINGS, FrameHead.ACK, 0);
        output.frame(FrameHead.RST_STREAM, 0, 5, 8);
        output.frame(FrameHead.PING, FrameHead.ACK, 0, 0x0102030405060708L);
        assertThat(output.waiting()).isEqualTo(9 + 12 + 9 + 13 + 17);
        assertThat(output.flush()).isTrue();

        assertThat(frames())
                .extracting(Frame::head)
                .containsExactly(
                        new FrameHead(12, FrameHead.SETTINGS, 0, 0),
                        new FrameHead(0, FrameHead.SETTINGS, FrameHead.ACK, 0),
                        new FrameHead(4, FrameHead.RST_STREAM, 0, 5),
                        new FrameHead(8, FrameHead.PING, FrameHead.ACK, 0));
        assertThat(frames().get(0).payload()).containsExactly(0, 3, 0, 0, 0, 100, 0, 4, 0, 16, 0, 0);
        assertThat(frames().get(3).payload()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(writes).as("one write").containsExactly(60);
        assertThat(output.waiting()).isZero();
        assertThat(pool.out()).isZero();
    }

    @Test
    void blocksAreCutIntoContinuationsWithNothingBetween() throws IOException {
        for (int length : new int[] {1, 9, 1000, 1024, 1025, 16_000, 16_375, 16_376, 16_384, 40_000, 70_000}) {
            for (int before : new int[] {0, 1, 15_000, 16_348, 16_350, 16_357, 16_366, 16_375}) {
                taken.reset();
                if (before > 0) {
                    output.data(1, ByteBuffer.allocate(before), before, false);
                }
                byte[] block = random(length);
                output.block(3, block, length, true);
                output.frame(FrameHead.RST_STREAM, 0, 3, 0);
                assertThat(output.flush()).isTrue();

                List<Frame> frames = frames();
                List<Frame> pieces = frames.stream()
                        .filter(frame ->
                                frame.head().stream() == 3 && frame.head().type() != FrameHead.RST_STREAM)
                        .toList();
                assertThat(joined(pieces)).isEqualTo(block);
                for (int i = 0; i < pieces.size(); i++) {
                    FrameHead head = pieces.get(i).head();
                    assertThat(head.type()).isEqualTo(i == 0 ? FrameHead.HEADERS : FrameHead.CONTINUATION);
                    assertThat(head.length()).isBetween(1, 16_384);
                    assertThat(head.has(FrameHead.END_STREAM)).isEqualTo(i == 0);
                    assertThat(head.has(FrameHead.END_HEADERS)).isEqualTo(i == pieces.size() - 1);
                }
                int first = frames.indexOf(pieces.get(0));
                assertThat(frames.subList(first, first + pieces.size())).isEqualTo(pieces);
                assertThat(pool.out()).isZero();
            }
        }
    }

    @Test
    void bodiesFillRecordsAndEndWithTheirLastFrame() throws IOException {
        byte[] body = random(50_000);
        ByteBuffer source = ByteBuffer.allocateDirect(60_000)
                .put(body)
                .put(new byte[10_000])
                .flip();
        output.frame(FrameHead.SETTINGS, FrameHead.ACK, 0);
        output.data(7, source, body.length, true);
        assertThat(source.remaining()).isEqualTo(10_000);
        assertThat(output.flush()).isTrue();

        List<Frame> frames = frames().subList(1, frames().size());
        assertThat(joined(frames)).isEqualTo(body);
        for (Frame frame : frames) {
            assertThat(frame.head().type()).isEqualTo(FrameHead.DATA);
            assertThat(frame.head().has(FrameHead.END_STREAM)).isEqualTo(frame == frames.get(frames.size() - 1));
        }
        assertThat(writes.subList(0, writes.size() - 1)).as("whole records").allMatch(length -> length == RECORD);
    }

    @Test
    void emptyBodyCanEndAStream() throws IOException {
        output.data(7, ByteBuffer.allocate(0), 0, true);
        assertThat(output.flush()).isTrue();
        assertThat(frames()).extracting(Frame::head).containsExactly(new FrameHead(0, 0, 1, 7));
    }

    @Test
    void roomShrinksByWhatWaitsAndComesBackAsItIsTaken() throws IOException {
        assertThat(output.room()).isEqualTo(FrameOutput.MOST_WAITING);
        output.data(1, ByteBuffer.allocate(60_000), 60_000, false);
        assertThat(output.room()).isBetween(1, FrameOutput.MOST_WAITING - 60_000);
        takes = 20_000;
        assertThat(output.flush()).isFalse();
        assertThat(output.isBlocked()).isTrue();
        assertThat(output.room()).isGreaterThan(20_000);
        output.data(1, ByteBuffer.allocate(60_000), 60_000, true);
        assertThat(output.room()).isZero();
        takes = Integer.MAX_VALUE;
        flushes = false;
        assertThat(output.flush()).as("TLS may hold some").isFalse();
        assertThat(output.isBlocked()).isTrue();
        flushes = true;
        assertThat(output.flush()).isTrue();
        assertThat(output.isBlocked()).isFalse();
        assertThat(joined(frames())).hasSize(120_000);
        assertThat(pool.out()).isZero();
    }

    @Test
    void afterReleaseNothingIsHeldAndFramesAreDropped() throws IOException {
        takes = 100;
        output.data(1, ByteBuffer.allocate(60_000), 60_000, false);
        assertThat(output.flush()).isFalse();
        output.frame(FrameHead.RST_STREAM, 0, 1, 8);
        output.release();
        assertThat(pool.out()).isZero();

        output.frame(FrameHead.RST_STREAM, 0, 3, 8);
        ByteBuffer body = ByteBuffer.allocate(40_000);
        output.data(5, body, 40_000, true);
        output.block(7, new byte[20_000], 20_000, true);
        assertThat(body.hasRemaining()).isFalse();
        assertThat(pool.out()).isZero();
    }
}
