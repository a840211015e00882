package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LoopbackSourceTest {
    private final LoopbackSource source = new LoopbackSource(new byte[32]);

    private static InetAddress address(int a, int b, int c, int d) throws Exception {
        return InetAddress.getByAddress(new byte[] {(byte) a, (byte) b, (byte) c, (byte) d});
    }

    @Test
    void addressesAreStableDistinctAndNeverInTheNetworksThatOthersUse() throws Exception {
        Set<InetAddress> seen = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            InetAddress client = address(203, 0, i >> 8, i);
            InetAddress given = source.of(client);
            byte[] bytes = given.getAddress();
            assertThat(bytes[0]).isEqualTo((byte) 127);
            assertThat(bytes[1] & 0xff).isBetween(1, 254);
            if (i % 1000 == 0) {
                assertThat(source.of(client)).isEqualTo(given);
            }
            seen.add(given);
        }
        // by chance 12 of 20,000 meet another in 16.6 million
        assertThat(seen).hasSizeGreaterThan(19_950);
    }

    @Test
    void ipv6NetworkOf64BitsIsOneClientAndAMappedAddressIsTheIpv4One() throws Exception {
        assertThat(source.of(InetAddress.getByName("2001:db8:1:2::1")))
                .isEqualTo(source.of(InetAddress.getByName("2001:db8:1:2:ffff:ffff:ffff:ffff")))
                .isNotEqualTo(source.of(InetAddress.getByName("2001:db8:1:3::1")));
        assertThat(source.of(InetAddress.getByName("::ffff:192.0.2.1")))
                .isEqualTo(source.of(InetAddress.getByName("192.0.2.1")));
    }

    @Test
    void clientCannotChooseWhoseAddressItShares() throws Exception {
        InetAddress client = address(203, 0, 113, 7);
        Set<InetAddress> byServer = new HashSet<>();
        for (int i = 0; i < 8; i++) {
            byServer.add(new LoopbackSource().of(client));
        }
        assertThat(byServer).as("the key is new with each start").hasSizeGreaterThan(6);
    }
}
