package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.spi.HostPattern;
import java.nio.charset.StandardCharsets;

/** Any text as a host pattern and as an authority. */
class HostFuzzTest {
    @FuzzTest
    void pattern(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        HostPattern pattern;
        try {
            pattern = HostPattern.of(text);
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageStartingWith("route.host: ");
            return;
        }
        assertThat(pattern.isAny()).isFalse();
        assertThat(HostPattern.of(pattern.toString())).isEqualTo(pattern);
        String host = pattern.toString();
        assertThat(pattern.matches(HostPattern.hostOf(pattern.isWildcard() ? "a" + host.substring(1) : host)))
                .isTrue();
    }

    @FuzzTest
    void host(byte[] input) {
        String authority = new String(input, StandardCharsets.ISO_8859_1);
        String host = HostPattern.hostOf(authority);
        // the canonical form of an IPv6 address doesn't shorten a single zero
        assertThat(host.length()).isLessThanOrEqualTo(authority.length() + (authority.startsWith("[") ? 1 : 0));
        assertThat(HostPattern.hostOf(host).length()).isLessThanOrEqualTo(host.length());
        if (authority.matches("[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*(:[0-9]*)?")) {
            assertThat(host).isEqualToIgnoringCase(authority.split(":", 2)[0]);
        }
    }
}
