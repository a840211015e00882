package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class UploadWindowTest {
    private static final int MIB = 1 << 20;

    private final UploadWindow window = new UploadWindow(MIB, 8 * MIB, 0);

    private static long millis(long count) {
        return TimeUnit.MILLISECONDS.toNanos(count);
    }

    private void pong() {
        window.pong(UploadWindow.payload(), true);
    }

    @Test
    void growsWhileHalfOfItIsReadWithinARoundTrip() {
        int expected = MIB;
        for (int i = 0; i < 3; i++) {
            assertThat(window.read(expected, millis(i * 1000))).isTrue();
            window.read(expected / 2, millis(i * 1000 + 50));
            pong();
            expected *= 2;
            assertThat(window.growth()).isEqualTo(expected - MIB);
        }
        assertThat(window.read(100 * MIB, millis(9000))).as("it is the largest").isFalse();
    }

    @Test
    void staysWhereLessIsRead() {
        assertThat(window.read(MIB, 0)).isTrue();
        window.read(MIB / 2 - 1, millis(50));
        pong();
        assertThat(window.growth()).isZero();
    }

    @Test
    void staysWhereThereIsNoMemoryForMore() {
        assertThat(window.read(MIB, 0)).isTrue();
        window.read(MIB, millis(50));
        window.pong(UploadWindow.payload(), false);
        assertThat(window.growth()).isZero();
        assertThat(window.read(MIB, millis(1000))).isTrue();
        window.read(MIB, millis(1050));
        pong();
        assertThat(window.growth()).isEqualTo(MIB);
    }

    @Test
    void asksSeldomAndOnceAtATime() {
        assertThat(window.read(MIB / 4 - 1, 0)).as("little was read").isFalse();
        assertThat(window.read(1, 0)).isTrue();
        assertThat(window.read(MIB, millis(5000))).as("it isn't answered").isFalse();
        window.pong(0, true);
        assertThat(window.growth()).as("another payload").isZero();
        pong();
        assertThat(window.growth()).isEqualTo(MIB);
        pong();
        assertThat(window.growth()).as("answered twice").isEqualTo(MIB);
        assertThat(window.read(MIB, millis(19))).isFalse();
        assertThat(window.read(0, millis(100))).isTrue();
    }
}
