package io.webproxy.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.webproxy.http.AddressRange;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConnectionLimitsTest {
    private static final ConnectionLimits DEFAULTS = ConnectionLimits.defaults();

    @Test
    void eachWithChangesItsValueOnly() {
        assertThat(DEFAULTS).isEqualTo(new ConnectionLimits(0, 16_384, List.of()));
        assertThat(DEFAULTS.withTotal(7).withPerAddress(0).withExempt("10.0.0.0/8", "::1"))
                .isEqualTo(new ConnectionLimits(7, 0, List.of(AddressRange.of("10.0.0.0/8"), AddressRange.of("::1"))));
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
