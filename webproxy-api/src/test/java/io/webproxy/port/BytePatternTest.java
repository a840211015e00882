package io.webproxy.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BytePatternTest {
    @Test
    void bitsOfTheMaskCount() {
        BytePattern pattern = BytePattern.of("16 0F").mask("ff F0");
        assertThat(pattern.length()).isEqualTo(2);
        for (int value = 0; value < 256; value++) {
            assertThat(pattern.matches(0, (byte) value)).isEqualTo(value == 0x16);
            assertThat(pattern.matches(1, (byte) value)).isEqualTo(value < 0x10);
        }
    }

    @Test
    void bytesOfAllValuesAndTheLongestPattern() {
        assertThat(BytePattern.of("ff").matches(0, (byte) 255)).isTrue();
        assertThat(BytePattern.of("80").matches(0, (byte) 0)).isFalse();
        assertThat(BytePattern.of("ab".repeat(256)).length()).isEqualTo(256);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "5", "0 5", "0x05", "05,06", "0g", " 05", "05\n", "-1", "\u0660\u0660"})
    void anythingButBytesIsRefused(String hex) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BytePattern.of(hex))
                .withMessage("pattern: '" + hex + "' (expected: 1-256 bytes in hexadecimal, such as 05 or 16 03)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BytePattern.of("05").mask(hex))
                .withMessage("mask: '" + hex + "' (expected: 1-256 bytes in hexadecimal, such as 05 or 16 03)");
    }

    @Test
    void longPatternsAndBadMasksAndOffsetsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> BytePattern.of("ab".repeat(257)));
        for (String mask : new String[] {"ff", "ffffff", "0000"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> BytePattern.of("0102").mask(mask))
                    .withMessage("mask: '" + mask
                            + "' (expected: 2 bytes, as many as the pattern has, and a bit that is 1)");
        }
        for (int offset : new int[] {-1, 4097, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> BytePattern.of("05").at(offset))
                    .withMessage("offset: " + offset + " (expected: 0-4096)");
        }
        assertThat(BytePattern.of("05").at(4096).offset()).isEqualTo(4096);
    }

    @Test
    void nullsAreRefusedByName() {
        assertThatNullPointerException().isThrownBy(() -> BytePattern.of(null)).withMessage("pattern");
        assertThatNullPointerException()
                .isThrownBy(() -> BytePattern.of("05").mask(null))
                .withMessage("mask");
    }

    @Test
    void immutableAndEqualByValue() {
        BytePattern plain = BytePattern.of("0a0B");
        BytePattern changed = plain.mask("0fff").at(7);
        assertThat(plain)
                .hasToString("0a0b")
                .isEqualTo(BytePattern.of("0A 0b"))
                .hasSameHashCodeAs(BytePattern.of("0A 0b"));
        assertThat(changed)
                .hasToString("0a0b&0fff@7")
                .isEqualTo(BytePattern.of("0a0b").at(7).mask("0fff"))
                .hasSameHashCodeAs(BytePattern.of("0a0b").at(7).mask("0fff"))
                .isNotEqualTo(plain)
                .isNotEqualTo(plain.at(7))
                .isNotEqualTo(plain.mask("0fff"))
                .isNotEqualTo("0a0b&0fff@7");
        assertThat(changed.mask("ffff").at(0)).isEqualTo(plain);
    }
}
