package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressRangeTest {
    private static InetAddress address(String literal) throws UnknownHostException {
        return InetAddress.getByName(literal);
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.0.0.0, true",
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "10.0.0.0/8, 9.255.255.255, false",
        "172.16.0.0/12, 172.16.0.0, true",
        "172.16.0.0/12, 172.31.255.255, true",
        "172.16.0.0/12, 172.32.0.0, false",
        "192.0.2.128/25, 192.0.2.128, true",
        "192.0.2.128/25, 192.0.2.127, false",
        "192.0.2.4/31, 192.0.2.5, true",
        "192.0.2.4/31, 192.0.2.6, false",
        "192.0.2.1/32, 192.0.2.1, true",
        "192.0.2.1, 192.0.2.1, true",
        "192.0.2.1, 192.0.2.2, false",
        "0.0.0.0/0, 203.0.113.9, true",
        "128.0.0.0/1, 127.255.255.255, false",
        "128.0.0.0/1, 255.255.255.255, true",
        "2001:db8::/32, 2001:db8:ffff::1, true",
        "2001:db8::/32, 2001:db9::1, false",
        "2001:db8::8/125, 2001:db8::f, true",
        "2001:db8::8/125, 2001:db8::10, false",
        "::1, ::1, true",
        "::1, ::2, false",
        "::/0, 2001:db8::1, true"
    })
    void rangeEndsAtItsLastBit(String range, String address, boolean inside) throws UnknownHostException {
        assertThat(AddressRange.of(range).contains(address(address))).isEqualTo(inside);
    }

    @Test
    void textIsCompressed() {
        assertThat(AddressRange.of("2001:DB8:0:0:0:0:0:0/32")).hasToString("2001:db8::/32");
    }

    @Test
    void everyPrefixLengthSplitsAtItsBit() throws UnknownHostException {
        for (int prefix = 1; prefix <= 32; prefix++) {
            int bit = 1 << (32 - prefix);
            AddressRange range = AddressRange.of(text(bit) + "/" + prefix);
            assertThat(range.contains(address(text(bit)))).as("/%d", prefix).isTrue();
            assertThat(range.contains(address(text(bit | (bit - 1)))))
                    .as("/%d", prefix)
                    .isTrue();
            assertThat(range.contains(address(text(bit - 1)))).as("/%d", prefix).isFalse();
            assertThat(range.contains(address(text(0)))).as("/%d", prefix).isFalse();
        }
    }

    private static String text(int bits) {
        return (bits >>> 24) + "." + (bits >> 16 & 0xff) + "." + (bits >> 8 & 0xff) + "." + (bits & 0xff);
    }

    @Test
    void familiesNeverMatchOneAnother() throws UnknownHostException {
        assertThat(AddressRange.of("0.0.0.0/0").contains(address("::1"))).isFalse();
        assertThat(AddressRange.of("::/0").contains(address("127.0.0.1"))).isFalse();
    }

    @Test
    void clientIsAnAddressOrANetworkOf64Bits() throws UnknownHostException {
        assertThat(AddressRange.clientOf(address("192.0.2.7"))).isEqualTo(AddressRange.of("192.0.2.7"));
        assertThat(AddressRange.clientOf(address("2001:db8::1:2:3:4")))
                .isEqualTo(AddressRange.clientOf(address("2001:db8::ffff:2:3:4")))
                .isEqualTo(AddressRange.of("2001:db8::/64"))
                .hasSameHashCodeAs(AddressRange.of("2001:db8::/64"))
                .isNotEqualTo(AddressRange.clientOf(address("2001:db8:0:1::1")))
                .isNotEqualTo(AddressRange.of("2001:db8::/63"));
    }

    @Test
    void mappedAddressCountsAsIpv4() throws UnknownHostException {
        assertThat(AddressRange.of("10.0.0.0/8").contains(address("::ffff:10.1.2.3")))
                .isTrue();
        assertThat(AddressRange.of("10.0.0.0/8").contains(address("::ffff:a01:203")))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/8/8",
                "10.0.0.0/x",
                "10.0.0.0/ 8",
                " 10.0.0.0/8",
                "10.0.0.0/99999999999",
                "10.0.0.1/8",
                "10.0.0.0/6",
                "10.0.0/8",
                "10/8",
                "localhost",
                "example.com/32",
                "2001:db8::/129",
                "2001:db8::1/64",
                "2001:db8::/",
                "[::1]",
                "fe80::1%eth0",
                ":",
                ":::",
                "1:2:3:4:5:6:7:8:9",
                "12345::"
            })
    void whatIsNoRangeIsRefusedWithItsText(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AddressRange.of(text))
                .withMessage("address range: " + text + " (expected: an IP address, or a range such as 10.0.0.0/8"
                        + " with zeros after the prefix)");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException().isThrownBy(() -> AddressRange.of(null)).withMessage("cidr");
    }

    @Test
    void showsNetworkAndPrefix() {
        assertThat(AddressRange.of("10.0.0.0/8")).hasToString("10.0.0.0/8");
        assertThat(AddressRange.of("192.0.2.1")).hasToString("192.0.2.1/32");
        assertThat(AddressRange.of("2001:db8::/32")).asString().endsWith("/32");
    }

    @Test
    void addressLiesInAnyOfSeveralRanges() throws Exception {
        List<AddressRange> ranges = List.of(AddressRange.of("10.0.0.0/8"), AddressRange.of("2001:db8::/32"));

        assertThat(AddressRange.anyContains(ranges, address("2001:db8::1"))).isTrue();
        assertThat(AddressRange.anyContains(ranges, address("::ffff:10.1.2.3"))).isTrue();
        assertThat(AddressRange.anyContains(ranges, address("192.0.2.1"))).isFalse();
        assertThat(AddressRange.anyContains(List.of(), address("10.1.2.3"))).isFalse();
    }
}
