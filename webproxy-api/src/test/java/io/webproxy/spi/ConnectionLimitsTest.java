package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class ConnectionLimitsTest {
    private static final ConnectionLimits DEFAULTS = ConnectionLimits.defaults();

    @Test
    void eachWithChangesItsValueOnly() {
        ConnectionLimits limits = DEFAULTS.withTotal(7).withPerAddress(0).withExempt("10.0.0.0/8", "::1");

        assertThat(DEFAULTS).hasToString("ConnectionLimits[total=0, perAddress=16384, exempt=[]]");
        assertThat(limits.total()).isEqualTo(7);
        assertThat(limits.perAddress()).isZero();
        assertThat(limits.exempt()).containsExactly(AddressRange.of("10.0.0.0/8"), AddressRange.of("::1"));
    }

    @Test
    void limitsAreEqualByTheirValues() {
        ConnectionLimits limits = DEFAULTS.withTotal(7).withPerAddress(8).withExempt("::1");

        assertThat(limits)
                .isEqualTo(DEFAULTS.withTotal(7).withPerAddress(8).withExempt("::1"))
                .hasSameHashCodeAs(DEFAULTS.withTotal(7).withPerAddress(8).withExempt("::1"))
                .isNotEqualTo(limits.withTotal(8))
                .isNotEqualTo(limits.withPerAddress(7))
                .isNotEqualTo(limits.withExempt("::2"));
    }

    @Test
    void badValuesAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.withTotal(-1))
                .withMessage("connections.total: -1 (expected: 0-10000000)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.withPerAddress(10_000_001))
                .withMessage("connections.perAddress: 10000001 (expected: 0-10000000)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.withExempt("10.0.0.1/8"))
                .withMessageContaining("10.0.0.1/8 (expected: an IP address, or a range");
    }
}
