package io.webproxy.undertow.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressTextTest {
    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 127.0.0.1",
        "0:0:0:0:0:0:0:1, ::1",
        "0:0:0:0:0:0:0:0, ::",
        "2001:DB8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "fe80:0:0:0:0:0:0:0, fe80::",
        "1:0:0:2:0:0:0:3, 1:0:0:2::3",
        "0:0:0:4:5:6:7:8, ::4:5:6:7:8"
    })
    void isCanonical(String address, String text) throws Exception {
        assertThat(AddressText.of(InetAddress.getByName(address))).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 127.0.0.1:80", "0:0:0:0:0:0:0:0, [::]:80", "2001:DB8:0:0:0:0:0:1, [2001:db8::1]:80"})
    void hasBracketsBeforeAPort(String address, String text) throws Exception {
        assertThat(AddressText.of(new InetSocketAddress(InetAddress.getByName(address), 80)))
                .isEqualTo(text);
        assertThat(AddressText.of((SocketAddress) null)).isEqualTo("null");
    }
}
