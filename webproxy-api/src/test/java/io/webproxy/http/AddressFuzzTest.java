package io.webproxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;

/** Any text as an address and as a range. */
class AddressFuzzTest {
    @FuzzTest
    void address(byte[] input) {
        InetAddress address = IpLiteral.parse(new String(input, StandardCharsets.UTF_8));
        if (address != null) {
            assertThat(IpLiteral.parse(address.getHostAddress())).isEqualTo(address);
        }
    }

    @FuzzTest
    void range(byte[] input) {
        AddressRange range;
        try {
            range = AddressRange.of(new String(input, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageStartingWith("address range: ");
            return;
        }
        String text = range.toString();
        assertThat(AddressRange.of(text)).hasToString(text);
        InetAddress network = IpLiteral.parse(text.substring(0, text.indexOf('/')));
        assertThat(range.contains(network)).isTrue();
    }
}
