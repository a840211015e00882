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
            assertThat(window.read(expected, millis(i * 1000), true)).isTrue();
            window.read(expected / 2, millis(i * 1000 + 50), true);
            pong();
            expected *= 2;
            assertThat(window.growth()).isEqualTo(expected - MIB);
        }
        assertThat(window.read(100 * MIB, millis(9000), true))
                .as("it is the largest")
                .isFalse();
    }

    @Test
    void staysWhereLessIsRead() {
        assertThat(window.read(MIB, 0, true)).isTrue();
        window.read(MIB / 2 - 1, millis(50), true);
        pong();
        assertThat(window.growth()).isZero();
    }

    @Test
    void staysWhereThereIsNoMemoryForMore() {
        assertThat(window.read(MIB, 0, true)).isTrue();
        window.read(MIB, millis(50), true);
        window.pong(UploadWindow.payload(), false);
        assertThat(window.growth()).isZero();
        assertThat(window.read(MIB, millis(1000), true)).isTrue();
        window.read(MIB, millis(1050), true);
        pong();
        assertThat(window.growth()).isEqualTo(MIB);
    }

    @Test
    void asksSeldomAndOnceAtATime() {
        assertThat(window.read(MIB / 4 - 1, 0, true)).as("little was read").isFalse();
        assertThat(window.read(1, 0, true)).isTrue();
        assertThat(window.read(MIB, millis(5000), true)).as("it isn't answered").isFalse();
        window.pong(0, true);
        assertThat(window.growth()).as("another payload").isZero();
        pong();
        assertThat(window.growth()).isEqualTo(MIB);
        pong();
        assertThat(window.growth()).as("answered twice").isEqualTo(MIB);
        assertThat(window.read(MIB, millis(19), true)).isFalse();
        assertThat(window.read(0, millis(100), true)).isTrue();
    }

    /** Half a MiB in pieces of 16 KiB. */
    private void readHalfOfAMebibyte(long from, long until, boolean ample) {
        window.read(1, from, ample);
        for (int i = 1; i <= 32; i++) {
            window.read(MIB / 64, from + (until - from) * i / 32, ample);
        }
    }

    @Test
    void followsARateThatARoundTripNeedsMoreFor() {
        window.settled(millis(50));
        readHalfOfAMebibyte(millis(100), millis(110), true);
        assertThat(window.growth()).as("twice what 50 ms bring").isEqualTo(4 * MIB);
    }

    @Test
    void isTheLargestAtOnceWhereMuchComesFast() {
        window.settled(millis(50));
        readHalfOfAMebibyte(millis(100), millis(103), true);
        assertThat(window.growth()).isEqualTo(7 * MIB);
    }

    @Test
    void growsByNoMoreThanSixteenTimesAtOnce() {
        UploadWindow small = new UploadWindow(MIB / 16, 8 * MIB, 0);
        small.settled(millis(50));
        small.read(1, millis(100), true);
        small.read(MIB / 16, millis(100), true);
        assertThat(small.growth()).isEqualTo(MIB - MIB / 16);
    }

    @Test
    void followsNoRateOfBytesThatCameBeforeARoundTrip() {
        window.settled(millis(50));
        readHalfOfAMebibyte(millis(100), millis(151), true);
        assertThat(window.growth()).isZero();
    }

    @Test
    void followsNoRateWhileARoundTripIsUnknown() {
        readHalfOfAMebibyte(millis(100), millis(100), true);
        assertThat(window.growth()).isZero();
    }

    @Test
    void followsNoRateOfANearClient() {
        window.settled(millis(1) / 4);
        for (int i = 1; i <= 10; i++) {
            readHalfOfAMebibyte(millis(i * 10), millis(i * 10) + millis(1) / 4, true);
        }
        assertThat(window.growth()).isZero();
    }

    @Test
    void followsNoRateWhereThereIsNoMemoryForMore() {
        window.settled(millis(50));
        readHalfOfAMebibyte(millis(100), millis(103), false);
        assertThat(window.growth()).isZero();
    }
}
