package io.webproxy.undertow.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ControlFramesTest {
    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static byte[] octets(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Test
    void closeForAClientIs1001WithoutAMask() {
        assertThat(bytes(ControlFrames.goingAwayToClient())).isEqualTo(octets(0x88, 2, 0x03, 0xe9));
    }

    @Test
    void closeForAServerIs1001UnderAMaskThatChanges() {
        Set<Integer> masks = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            byte[] frame = bytes(ControlFrames.goingAwayToServer());

            assertThat(frame).hasSize(8).startsWith(octets(0x88, 0x82));
            assertThat(octets(frame[6] ^ frame[2], frame[7] ^ frame[3])).isEqualTo(octets(0x03, 0xe9));
            masks.add(ByteBuffer.wrap(frame, 2, 4).getInt());
        }
        assertThat(masks).as("RFC 6455 section 5.3: a fresh mask per frame").hasSizeGreaterThan(990);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, 0x0102030405060708L, 0x80ff7f0001fe8182L})
    void pingCarriesItsTokenWithoutAMask(long token) {
        byte[] frame = bytes(ControlFrames.ping(token));

        assertThat(frame).hasSize(10).startsWith(octets(0x89, 8));
        assertThat(ByteBuffer.wrap(frame, 2, 8).getLong()).isEqualTo(token);
    }

    @Test
    void eachFrameIsABufferOfItsOwn() {
        bytes(ControlFrames.goingAwayToClient());
        bytes(ControlFrames.goingAwayToServer());
        bytes(ControlFrames.ping(1));

        assertThat(ControlFrames.goingAwayToClient().remaining()).isEqualTo(4);
        assertThat(ControlFrames.goingAwayToServer().remaining()).isEqualTo(8);
        assertThat(ControlFrames.ping(1).remaining()).isEqualTo(10);
    }

    @Test
    void whatIsMadeIsOneFrameEach() {
        for (ByteBuffer frame : new ByteBuffer[] {
            ControlFrames.ping(7), ControlFrames.goingAwayToClient(), ControlFrames.goingAwayToServer()
        }) {
            FrameTracker tracker = new FrameTracker();
            tracker.passFrame(frame);
            assertThat(frame.hasRemaining()).isFalse();
            assertThat(tracker.isBetweenFrames()).isTrue();
        }
    }
}
