package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Answer;
import io.webproxy.route.Route;
import java.net.Inet6Address;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccessTest {
    private static Access access(Route.Builder route) {
        return route.answer(Answer.of(200)).build().access();
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.1, true",
        "10.1.0.0, false",
        "10.1.255.255, false",
        "10.2.0.0, true",
        "11.0.0.0, false",
        "::ffff:10.0.0.1, true",
        "::ffff:10.1.0.1, false",
        "::10.0.0.1, false",
        "fe80::1, true",
        "fe80::1%1, true",
        "fe81::1, false",
        "::1, false"
    })
    void addressIsJudgedByItsBits(String client, boolean permitted) throws Exception {
        Access access = access(Route.builder().allow("10.0.0.0/8", "fe80::/16").deny("10.1.0.0/16"));

        assertThat(access.permits(InetAddress.getByName(client))).isEqualTo(permitted);
    }

    /** Such an address keeps its sixteen bytes. */
    @Test
    void mappedAddressWithAScopeCountsAsIpv4() throws Exception {
        byte[] bytes = new byte[16];
        System.arraycopy(new byte[] {-1, -1, 10, 1, 2, 3}, 0, bytes, 10, 6);
        InetAddress mapped = Inet6Address.getByAddress(null, bytes, 3);

        assertThat(mapped.getAddress()).hasSize(16);
        assertThat(access(Route.builder().deny("10.0.0.0/8")).permits(mapped)).isFalse();
        assertThat(access(Route.builder().allow("10.0.0.0/8")).permits(mapped)).isTrue();
        assertThat(AddressRange.clientOf(mapped)).hasToString("10.1.2.3/32");
    }
}
