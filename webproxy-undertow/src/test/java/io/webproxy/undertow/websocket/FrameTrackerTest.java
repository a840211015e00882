package io.webproxy.undertow.websocket;

import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everySplit;
import static io.webproxy.undertow.websocket.Frames.frame;
import static io.webproxy.undertow.websocket.Frames.join;
import static io.webproxy.undertow.websocket.Frames.masked;
import static io.webproxy.undertow.websocket.Frames.plain;
import static io.webproxy.undertow.websocket.Frames.random;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.undertow.websocket.Frames.Length;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameTrackerTest {
    private static final int MASK = 0x81fe7f00;

    private final FrameTracker tracker = new FrameTracker();

    /** Where gaps are, as the tracker has it when it is fed in these pieces. */
    private static Set<Integer> gaps(List<byte[]> pieces) {
        FrameTracker tracker = new FrameTracker();
        Set<Integer> gaps = new TreeSet<>();
        int before = 0;
        for (byte[] piece : pieces) {
            ByteBuffer buffer = ByteBuffer.wrap(piece);
            while (buffer.hasRemaining()) {
                tracker.passFrame(buffer);
                assertThat(tracker.isBetweenFrames() || !buffer.hasRemaining())
                        .as("stops at the end of a frame or of the buffer, at %d", before + buffer.position())
                        .isTrue();
                assertThat(tracker.untilGap() == 0).isEqualTo(tracker.isBetweenFrames());
                if (tracker.isBetweenFrames()) {
                    gaps.add(before + buffer.position());
                }
            }
            before += piece.length;
        }
        return gaps;
    }

    private static List<byte[]> single(byte[] bytes) {
        return IntStream.range(0, bytes.length)
                .mapToObj(i -> new byte[] {bytes[i]})
                .toList();
    }

    /** A header's shape and the size of the payload behind it. */
    private record Shape(int first, Integer mask, Length form, int size) {
        byte[] bytes() {
            return frame(first, form, mask, new byte[size]);
        }
    }

    private static List<Shape> shapes(Length form) {
        List<Shape> shapes = new ArrayList<>();
        for (int first : new int[] {0x81, 0x02, 0x00, 0x80, 0xc1, 0x88, 0x89, 0x8a, 0xff}) {
            for (Integer mask : new Integer[] {null, 0, MASK}) {
                for (int size : new int[] {0, 1, 4, 125, 126, 127, 255, 256, 65535, 65536, 70000}) {
                    if (size < form.end) {
                        shapes.add(new Shape(first, mask, form, size));
                    }
                }
            }
        }
        return shapes;
    }

    @ParameterizedTest
    @EnumSource(Length.class)
    void everyShapeEndsWhereItsHeaderSaysHoweverItIsSplit(Length form) {
        for (Shape shape : shapes(form)) {
            byte[] one = shape.bytes();
            byte[] bytes = join(one, plain(0x89, new byte[0]));
            Set<Integer> ends = Set.of(one.length, bytes.length);

            assertThat(gaps(List.of(bytes))).as("%s whole", shape).isEqualTo(ends);
            assertThat(gaps(single(bytes))).as("%s byte by byte", shape).isEqualTo(ends);
            for (int at = 0; at <= bytes.length; at++) {
                FrameTracker split = new FrameTracker();
                split.pass(ByteBuffer.wrap(bytes, 0, at));
                boolean between = split.isBetweenFrames();
                ByteBuffer rest = ByteBuffer.wrap(bytes, at, bytes.length - at);
                split.passFrame(rest);
                int end = at < one.length ? one.length : bytes.length;
                if (between != (at == 0 || ends.contains(at)) || rest.position() != end || !split.isBetweenFrames()) {
                    throw new AssertionError(shape + " split at " + at + ": gap found at " + rest.position());
                }
            }
        }
    }

    @Test
    void everySplitOfAFragmentedMessageWithControlFramesBetweenGivesTheSameGaps() {
        byte[] hello = {'h', 'e', 'l', 'l', 'o'};
        List<byte[]> frames = List.of(
                masked(0x01, MASK, hello),
                masked(0x89, 0, new byte[0]),
                plain(0x00, new byte[0]),
                frame(0x00, Length.SIXTEEN_BITS, MASK, hello),
                plain(0x8a, hello),
                frame(0x80, Length.SIXTY_FOUR_BITS, MASK, new byte[] {(byte) 0x81, 0x7f}),
                plain(0x88, new byte[] {3, (byte) 0xe9}));
        Set<Integer> ends = new TreeSet<>();
        int end = 0;
        for (byte[] one : frames) {
            end += one.length;
            ends.add(end);
        }
        byte[] bytes = join(frames.toArray(new byte[0][]));

        everySplit(bytes, pieces -> assertThat(gaps(pieces)).isEqualTo(ends));
    }

    @Test
    void randomFramesInRandomPiecesEndWhereTheyEnd() {
        Random random = new Random(1);
        for (int run = 0; run < 500; run++) {
            Set<Integer> ends = new TreeSet<>();
            byte[] bytes = new byte[0];
            for (int n = random.nextInt(6); n >= 0; n--) {
                Length form = Length.values()[random.nextInt(3)];
                int size = random.nextInt(form == Length.SEVEN_BITS ? 126 : 2000);
                Integer mask = random.nextBoolean() ? random.nextInt() : null;
                bytes = join(bytes, frame(random.nextInt(256), form, mask, random(random, size)));
                ends.add(bytes.length);
            }
            List<byte[]> pieces = new ArrayList<>();
            for (int at = 0; at < bytes.length; ) {
                int end = Math.min(bytes.length, at + random.nextInt(random.nextBoolean() ? 4 : 900));
                pieces.add(Arrays.copyOfRange(bytes, at, end));
                at = end;
            }
            assertThat(gaps(pieces)).as("run %d", run).isEqualTo(ends);
        }
    }

    @ParameterizedTest
    @EnumSource(Length.class)
    void untilGapNeverReachesOverTheEndOfTheFrame(Length form) {
        for (Shape shape : shapes(form)) {
            FrameTracker step = new FrameTracker();
            byte[] bytes = shape.bytes();
            int header = bytes.length - shape.size();
            assertThat(step.untilGap()).isZero();
            for (int at = 1; at < bytes.length; at++) {
                step.pass(ByteBuffer.wrap(bytes, at - 1, 1));
                long ahead = step.untilGap();
                if (ahead < 1 || ahead > bytes.length - at || (at >= header && ahead != bytes.length - at)) {
                    throw new AssertionError(shape + ": " + ahead + " ahead at " + at + " of " + bytes.length);
                }
            }
            step.pass(ByteBuffer.wrap(bytes, bytes.length - 1, 1));
            assertThat(step.untilGap()).isZero();
            assertThat(step.isBetweenFrames()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(Length.class)
    void writingJustWhatUntilGapAllowsComesToTheEndOfTheFrame(Length form) {
        for (Shape shape : shapes(form)) {
            FrameTracker step = new FrameTracker();
            byte[] frame = shape.bytes();
            ByteBuffer buffer = ByteBuffer.wrap(join(frame, plain(0x81, new byte[70_000])));
            int end = 1;
            for (int steps = 0; steps < 5 && end > buffer.position(); steps++) {
                step.pass(buffer.limit(end));
                end += (int) step.untilGap();
            }

            assertThat(buffer.position()).as("%s", shape).isEqualTo(frame.length);
            assertThat(step.isBetweenFrames()).isTrue();
        }
    }

    @Test
    void bytesOutsideOfPositionAndLimitDoNotCount() {
        byte[] bytes = join(plain(0x81, new byte[9]), masked(0x82, MASK, new byte[300]));
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length + 20).position(7);
        buffer.put(bytes).limit(buffer.position()).position(7);

        tracker.passFrame(buffer);
        assertThat(buffer.position()).isEqualTo(7 + 11);
        tracker.passFrame(buffer);
        assertThat(buffer.hasRemaining()).isFalse();
        assertThat(tracker.isBetweenFrames()).isTrue();

        tracker.pass(buffer);
        assertThat(tracker.isBetweenFrames()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, Long.MIN_VALUE + 1, -1, -256, Long.MIN_VALUE | 5, Long.MAX_VALUE})
    void lengthWithTheTopBitSetCannotForgeAGap(long length) {
        for (int second : new int[] {0x7f, 0xff}) {
            FrameTracker endless = new FrameTracker();
            ByteBuffer header = ByteBuffer.allocate(second == 0x7f ? 10 : 14)
                    .put((byte) 0x82)
                    .put((byte) second)
                    .putLong(length)
                    .rewind();
            while (header.hasRemaining()) {
                header.limit(header.position() + 1);
                endless.pass(header);
                header.limit(header.capacity());
                assertThat(endless.isBetweenFrames()).isFalse();
                assertThat(endless.untilGap()).isPositive();
            }
            byte[] pings = new byte[1 << 16];
            for (int i = 0; i < 100; i++) {
                endless.pass(ByteBuffer.wrap(pings));
                assertThat(endless.isBetweenFrames()).isFalse();
            }
            assertThat(endless.untilGap()).isGreaterThan(1L << 62);
        }
    }

    @Test
    void lengthsBeyondAnIntAreCountedExactly() {
        tracker.pass(ByteBuffer.allocate(10)
                .put((byte) 0x82)
                .put((byte) 127)
                .putLong((1L << 32) + 5)
                .flip());
        assertThat(tracker.untilGap()).isEqualTo((1L << 32) + 5);

        ByteBuffer data = ByteBuffer.allocate(1 << 20);
        for (int i = 0; i < 4096; i++) {
            tracker.pass(data.clear());
        }
        assertThat(tracker.untilGap()).isEqualTo(5);
        data.clear();
        tracker.passFrame(data);
        assertThat(data.position()).isEqualTo(5);
        assertThat(tracker.isBetweenFrames()).isTrue();
    }

    @Test
    void anyBytesAreTakenWithoutAnException() {
        Random random = new Random(2);
        for (int run = 0; run < 2000; run++) {
            byte[] bytes = random(random, random.nextInt(200));
            Set<Integer> whole = gaps(List.of(bytes));
            assertThat(gaps(single(bytes))).as("run %d", run).isEqualTo(whole);
        }
        byte[] header = frame(0x81, Length.SIXTY_FOUR_BITS, MASK, new byte[] {1});
        everyMutation(header, bytes -> assertThat(gaps(single(bytes))).isEqualTo(gaps(List.of(bytes))));
    }
}
