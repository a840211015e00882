package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.undertow.tunnel.FrameReader.Step;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said on control channels, byte by byte. */
class FramesTest {
    private static final Message.Visitor VISITOR = new Message.Visitor(
            Message.Item.name("*.example.com"),
            "db.example.com",
            new InetSocketAddress("2001:db8::7", 50123),
            new InetSocketAddress("192.0.2.1", 443));

    static Stream<Message> messages() {
        return Stream.of(
                new Message.Hello(1, 0x8000_0000_0000_0003L, new UUID(-1, 7), "webproxy/1.2"),
                new Message.Welcome(1, 0, "alice", "webproxy/1.2"),
                new Message.Announce(
                        -5,
                        List.of(
                                new Message.Offer(Message.Item.name("xn--bcher-kva.example"), 0),
                                new Message.Offer(Message.Item.port(65535), 604_800))),
                new Message.Result(-5, List.of(new Message.Verdict(200, ""), new Message.Verdict(409, "taken: ä"))),
                new Message.Withdraw(List.of(Message.Item.port(1), Message.Item.name("a.b"))),
                new Message.Use(Long.MIN_VALUE, VISITOR),
                new Message.Refuse(17, "its target can't be reached"),
                new Message.Drop(-1),
                new Message.Ping(Long.MAX_VALUE),
                new Message.Pong(0),
                new Message.Goodbye(403, "the agent was removed"));
    }

    private static Step read(ByteBuffer bytes) {
        return new FrameReader().feed(bytes);
    }

    @ParameterizedTest
    @MethodSource("messages")
    void messageIsReadAsItWasWritten(Message message) {
        ByteBuffer frame = Frames.of(message);
        assertThat(read(frame)).isEqualTo(new Step.Whole(message));
        assertThat(frame.hasRemaining()).isFalse();
    }

    @Test
    void tokensAreReadAsTheyWereWritten() {
        byte[] token = new byte[Frames.TOKEN];
        token[0] = 9;
        token[31] = -9;
        Step connect = read(Frames.of(new Message.Connect(5, token, VISITOR)));
        assertThat(connect)
                .isInstanceOfSatisfying(
                        Step.Whole.class,
                        whole -> assertThat(whole.message()).isInstanceOfSatisfying(Message.Connect.class, read -> {
                            assertThat(read.token()).isEqualTo(token);
                            assertThat(read.visitor()).isEqualTo(VISITOR);
                        }));
        Step ready = read(Frames.of(new Message.Ready(5, token)));
        assertThat(ready)
                .isInstanceOfSatisfying(
                        Step.Whole.class,
                        whole -> assertThat(whole.message())
                                .isInstanceOfSatisfying(
                                        Message.Ready.class,
                                        read -> assertThat(read.token()).isEqualTo(token)));
    }

    @ParameterizedTest
    @MethodSource("messages")
    void messagesMayBeSplitAnywhere(Message message) {
        byte[] frame = Frames.of(message).array();
        int length = Frames.of(message).limit();
        for (int split = 0; split <= length; split++) {
            FrameReader reader = new FrameReader();
            if (split < length) {
                assertThat(reader.feed(ByteBuffer.wrap(frame, 0, split))).isEqualTo(Step.More.MORE);
            } else {
                reader.feed(ByteBuffer.wrap(frame, 0, split));
                continue;
            }
            assertThat(reader.feed(ByteBuffer.wrap(frame, split, length - split)))
                    .isEqualTo(new Step.Whole(message));
        }
    }

    @Test
    void oneReaderReadsAllMessagesOfAChannelByteByByte() {
        FrameReader reader = new FrameReader();
        List<Message> all = messages().toList();
        for (Message message : all) {
            ByteBuffer frame = Frames.of(message);
            Step last = Step.More.MORE;
            while (frame.hasRemaining()) {
                last = reader.feed(ByteBuffer.wrap(new byte[] {frame.get()}));
            }
            assertThat(last).isEqualTo(new Step.Whole(message));
        }
    }

    @ParameterizedTest
    @MethodSource("messages")
    void noMutationOfAByteIsThrown(Message message) {
        byte[] frame = Frames.of(message).array();
        int length = Frames.of(message).limit();
        for (int at = 0; at < length; at++) {
            for (int value = 0; value < 256; value++) {
                byte[] mutated = frame.clone();
                mutated[at] = (byte) value;
                assertThat(read(ByteBuffer.wrap(mutated, 0, length))).isNotNull();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, Frames.MAX_FRAME + 1})
    void lengthThatNoMessageHasIsRefusedAtOnce(int length) {
        FrameReader reader = new FrameReader();
        assertThat(reader.feed(ByteBuffer.allocate(4).putInt(length).flip())).isInstanceOf(Step.Malformed.class);
        assertThat(reader.feed(Frames.of(new Message.Ping(1)))).isInstanceOf(Step.Malformed.class);
    }

    @Test
    void announcedLengthGetsNoMemoryBeforeItComes() {
        FrameReader reader = new FrameReader();
        reader.feed(ByteBuffer.allocate(4).putInt(Frames.MAX_FRAME).flip());
        assertThat(reader.held()).isZero();
        reader.feed(ByteBuffer.wrap(new byte[] {Frames.HELLO, 1, 2}));
        assertThat(reader.held()).isLessThan(1024);
    }

    @Test
    void unknownTypesAreSkippedFromAHundredAndTwentyEightOnAndRefusedBelow() {
        IntStream.range(0, 256).forEach(type -> {
            Step step = read(ByteBuffer.wrap(new byte[] {0, 0, 0, 1, (byte) type}));
            if (type >= Frames.FIRST_SKIPPED) {
                assertThat(step).isEqualTo(new Step.Whole(new Message.Unknown(type)));
            } else {
                assertThat(step).as("an empty message of type %d", type).isInstanceOf(Step.Malformed.class);
            }
        });
    }

    @Test
    void surplusInAFrameIsRefused() {
        assertThat(read(ByteBuffer.wrap(new byte[] {0, 0, 0, 10, Frames.PING, 0, 0, 0, 0, 0, 0, 0, 1, 0})))
                .isInstanceOf(Step.Malformed.class);
    }

    @Test
    void textsThatMayNotGetIntoLogsAreRefused() {
        assertThat(read(Frames.of(new Message.Refuse(1, "a\nb")))).isInstanceOf(Step.Malformed.class);
        ByteBuffer notUtf8 =
                ByteBuffer.wrap(new byte[] {0, 0, 0, 12, Frames.REFUSE, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, (byte) 0xff});
        assertThat(read(notUtf8)).isInstanceOf(Step.Malformed.class);
    }

    @Test
    void tooManyItemsAreRefused() {
        List<Message.Item> items = Collections.nCopies(Frames.MAX_ITEMS + 1, Message.Item.port(1));
        assertThat(read(Frames.of(new Message.Withdraw(items)))).isInstanceOf(Step.Malformed.class);
    }

    @Test
    void fullestMessagesFitIntoAFrame() {
        String longest = "a".repeat(Frames.MAX_TEXT + 50);
        List<Message.Offer> offers =
                Collections.nCopies(Frames.MAX_ITEMS, new Message.Offer(Message.Item.name(longest), 1));
        assertThat(Frames.of(new Message.Announce(1, offers)).limit()).isLessThan(Frames.MAX_FRAME);
        List<Message.Verdict> verdicts =
                Collections.nCopies(Frames.MAX_ITEMS, new Message.Verdict(403, "ä".repeat(300)));
        ByteBuffer result = Frames.of(new Message.Result(1, verdicts));
        assertThat(result.limit()).isLessThan(Frames.MAX_FRAME);
        assertThat(read(result)).isInstanceOf(Step.Whole.class);
    }
}
