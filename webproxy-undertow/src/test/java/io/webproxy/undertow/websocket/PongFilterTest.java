package io.webproxy.undertow.websocket;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everySplit;
import static io.webproxy.testing.ByteInputs.everyTruncation;
import static io.webproxy.undertow.websocket.Frames.frame;
import static io.webproxy.undertow.websocket.Frames.join;
import static io.webproxy.undertow.websocket.Frames.masked;
import static io.webproxy.undertow.websocket.Frames.plain;
import static io.webproxy.undertow.websocket.Frames.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.webproxy.undertow.websocket.Frames.Length;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PongFilterTest {
    private static final long TOKEN = 0x8a88_0102_fffe_8a00L;
    private static final int MASK = 0x1a2b3c4d;
    private static final byte[] OWN = pong(TOKEN, MASK);
    private static final byte[] TEXT = masked(0x81, MASK, bytes("hello"));

    private static byte[] octets(long token) {
        return ByteBuffer.allocate(8).putLong(token).array();
    }

    private static byte[] pong(long token, int mask) {
        return masked(0x8a, mask, octets(token));
    }

    /** What comes through when a relay reads these pieces and then the end. */
    private static byte[] passed(List<byte[]> pieces, boolean direct) {
        PongFilter filter = new PongFilter(TOKEN);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            read(filter, piece, direct, false, out);
        }
        read(filter, new byte[0], direct, true, out);
        return out.toByteArray();
    }

    private static void read(PongFilter filter, byte[] piece, boolean direct, boolean last, ByteArrayOutputStream out) {
        int room = piece.length + 16;
        ByteBuffer buffer = direct ? ByteBuffer.allocateDirect(room) : ByteBuffer.allocate(room);
        filter.restore(buffer);
        assertThat(buffer.position()).as("held back").isBetween(0, 13);
        buffer.put(piece).flip();
        int before = buffer.remaining();
        filter.filter(buffer, last);
        assertThat(buffer.remaining()).isLessThanOrEqualTo(before);
        byte[] left = new byte[buffer.remaining()];
        buffer.get(left);
        out.writeBytes(left);
    }

    private static byte[] passed(byte[]... pieces) {
        byte[] heap = passed(List.of(pieces), false);
        assertThat(passed(List.of(pieces), true)).isEqualTo(heap);
        return heap;
    }

    /** The frames without the pongs to the proxy's own pings. */
    private static byte[] withoutOwn(List<byte[]> frames) {
        return join(frames.stream().filter(one -> !isOwn(one)).toArray(byte[][]::new));
    }

    private static boolean isOwn(byte[] one) {
        return one.length == 14
                && one[0] == (byte) 0x8a
                && one[1] == (byte) 0x88
                && Arrays.equals(one, pong(TOKEN, ByteBuffer.wrap(one).getInt(2)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, MASK, 0x8a880000, Integer.MIN_VALUE})
    void ownPongIsTakenOutWhateverItsMask(int mask) {
        byte[] own = pong(TOKEN, mask);

        assertThat(passed(own)).isEmpty();
        assertThat(passed(join(own, own, own))).isEmpty();
        assertThat(passed(join(TEXT, own))).isEqualTo(TEXT);
        assertThat(passed(join(own, TEXT))).isEqualTo(TEXT);
        assertThat(passed(join(TEXT, own, TEXT, own, own, TEXT))).isEqualTo(join(TEXT, TEXT, TEXT));
    }

    @Test
    void ownPongWithinAFragmentedMessageIsTakenOut() {
        byte[] start = masked(0x01, MASK, bytes("hel"));
        byte[] end = masked(0x80, MASK, bytes("lo"));

        assertThat(passed(join(start, OWN, end))).isEqualTo(join(start, end));
    }

    @Test
    void everySplitOverTwoAndThreeReadsGivesTheSame() {
        byte[] other = pong(TOKEN + 1, MASK);
        byte[] input = join(OWN, TEXT, OWN, other, OWN);
        byte[] expected = join(TEXT, other);

        everySplit(input, pieces -> {
            assertThat(passed(pieces, false)).isEqualTo(expected);
            assertThat(passed(pieces, true)).isEqualTo(expected);
        });
    }

    static Stream<Arguments> others() {
        byte[] token = octets(TOKEN);
        return Stream.of(
                arguments("another token", pong(~TOKEN, MASK)),
                arguments("a token that differs in its last bit", pong(TOKEN ^ 1, MASK)),
                arguments("a token that differs in its first bit", pong(TOKEN ^ Long.MIN_VALUE, MASK)),
                arguments("without payload", masked(0x8a, MASK, new byte[0])),
                arguments("a start of the token", masked(0x8a, MASK, Arrays.copyOf(token, 7))),
                arguments("more than the token", masked(0x8a, MASK, Arrays.copyOf(token, 9))),
                arguments("without mask", plain(0x8a, token)),
                arguments("a ping", masked(0x89, MASK, token)),
                arguments("binary data", masked(0x82, MASK, token)),
                arguments("a close", masked(0x88, MASK, token)),
                arguments("reserved bits", masked(0xba, MASK, token)),
                arguments("in fragments", masked(0x0a, MASK, token)),
                arguments("a longer length field", frame(0x8a, Length.SIXTEEN_BITS, MASK, token)),
                arguments("the longest length field", frame(0x8a, Length.SIXTY_FOUR_BITS, MASK, token)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("others")
    void whatIsNoPongOfTheProxysOwnPassesByteForByte(String name, byte[] other) {
        byte[] expected = join(other, TEXT, other);

        assertThat(passed(join(other, TEXT, other))).isEqualTo(expected);
        everySplit(
                join(OWN, other, OWN),
                pieces -> assertThat(passed(pieces, false)).isEqualTo(other));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, 200, 70_000})
    void bytesWithinAPayloadCannotPassForAPong(int around) {
        byte[] payload = join(new byte[around], OWN, OWN, new byte[around]);
        byte[] unmasked = plain(0x82, payload);
        byte[] masked = masked(0x82, MASK, payload);
        byte[] underZero = masked(0x82, 0, payload);

        byte[] input = join(unmasked, masked, underZero, OWN, unmasked);
        assertThat(passed(input)).isEqualTo(join(unmasked, masked, underZero, unmasked));

        for (int at = 0; at <= unmasked.length; at += around > 1000 ? 997 : 1) {
            assertThat(passed(Arrays.copyOf(unmasked, at), Arrays.copyOfRange(unmasked, at, unmasked.length)))
                    .isEqualTo(unmasked);
        }
    }

    @Test
    void payloadWithoutEndCannotPassForAPong() {
        byte[] endless = join(
                ByteBuffer.allocate(10)
                        .put((byte) 0x82)
                        .put((byte) 127)
                        .putLong(-1)
                        .array(),
                OWN,
                OWN);

        assertThat(passed(endless)).isEqualTo(endless);
    }

    @Test
    void startOfAPongIsHeldBackAndGivenOutAtTheEnd() {
        everyTruncation(OWN, start -> {
            PongFilter filter = new PongFilter(TOKEN);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            read(filter, join(TEXT, start), false, false, out);
            assertThat(out.toByteArray()).isEqualTo(TEXT);

            read(filter, new byte[0], false, false, out);
            assertThat(out.toByteArray()).as("nothing read").isEqualTo(TEXT);

            read(filter, new byte[0], false, true, out);
            assertThat(out.toByteArray()).isEqualTo(join(TEXT, start));
        });
    }

    @Test
    void nothingIsHeldBackFromTheLastBytes() {
        everyTruncation(OWN, start -> {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            read(new PongFilter(TOKEN), join(OWN, start), true, true, out);
            assertThat(out.toByteArray()).isEqualTo(start);
        });
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        read(new PongFilter(TOKEN), join(TEXT, OWN), true, true, out);
        assertThat(out.toByteArray()).as("a whole pong goes all the same").isEqualTo(TEXT);
    }

    @Test
    void whatIsNoStartOfAPongIsNotDelayed() {
        PongFilter filter = new PongFilter(TOKEN);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        read(filter, Arrays.copyOf(pong(~TOKEN, MASK), 7), false, false, out);
        assertThat(out.size()).as("the first byte of the token tells").isEqualTo(7);

        read(filter, Arrays.copyOfRange(pong(~TOKEN, MASK), 7, 14), false, false, out);
        read(filter, new byte[] {(byte) 0x81}, false, false, out);
        assertThat(out.size()).isEqualTo(15);
    }

    @Test
    void bytesInFrontOfThePositionAndBehindTheLimitAreLeftAlone() {
        byte[] input = join(OWN, TEXT, OWN, TEXT);
        for (boolean direct : new boolean[] {false, true}) {
            ByteBuffer buffer = direct ? ByteBuffer.allocateDirect(100) : ByteBuffer.allocate(100);
            buffer.put(OWN).put(input).put(OWN);
            buffer.limit(14 + input.length).position(14);

            new PongFilter(TOKEN).filter(buffer, false);

            assertThat(buffer.position()).isEqualTo(14);
            byte[] left = new byte[buffer.remaining()];
            buffer.get(left);
            assertThat(left).isEqualTo(join(TEXT, TEXT));
            byte[] around = new byte[14];
            buffer.clear().get(0, around);
            assertThat(around).isEqualTo(OWN);
            buffer.get(14 + input.length, around);
            assertThat(around).isEqualTo(OWN);
        }
    }

    @Test
    void randomFramesInRandomPiecesLoseTheOwnPongsAndNothingElse() {
        Random random = new Random(3);
        List<byte[]> pool = new ArrayList<>();
        others().forEach(other -> pool.add((byte[]) other.get()[1]));
        for (int run = 0; run < 5000; run++) {
            List<byte[]> frames = new ArrayList<>();
            for (int n = random.nextInt(12); n >= 0; n--) {
                frames.add(
                        switch (random.nextInt(5)) {
                            case 0, 1 -> pong(TOKEN, random.nextInt());
                            case 2 -> pool.get(random.nextInt(pool.size()));
                            case 3 -> masked(0x82, random.nextInt(), random(random, random.nextInt(300)));
                            default ->
                                plain(0x02, join(random(random, random.nextInt(4)), OWN, random(random, 3), OWN));
                        });
            }
            byte[] tail = Arrays.copyOf(pong(TOKEN, random.nextInt()), random.nextInt(14));
            byte[] input = join(join(frames.toArray(new byte[0][])), tail);
            byte[] expected = join(withoutOwn(frames), tail);

            List<byte[]> pieces = new ArrayList<>();
            int most = 1 + random.nextInt(60);
            for (int at = 0; at < input.length; ) {
                int end = Math.min(input.length, at + random.nextInt(most + 1));
                pieces.add(Arrays.copyOfRange(input, at, end));
                at = end;
            }
            assertThat(passed(pieces, run % 2 == 0)).as("run %d", run).isEqualTo(expected);
        }
    }

    @Test
    void anyBytesAreTakenWithoutAnExceptionAndSplitsChangeNothing() {
        everyMutation(join(OWN, Arrays.copyOf(OWN, 13)), input -> {
            byte[] whole = passed(List.of(input), false);
            List<byte[]> single = new ArrayList<>();
            for (byte one : input) {
                single.add(new byte[] {one});
            }
            assertThat(passed(single, true)).isEqualTo(whole);
        });
    }
}
