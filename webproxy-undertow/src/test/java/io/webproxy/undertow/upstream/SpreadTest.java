package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SpreadTest {
    private static final long SECOND = 1_000_000_000L;

    private final Spread spread = new Spread();

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private String next(String found, long now) {
        List<InetAddress> addresses =
                Arrays.stream(found.split(" ")).map(SpreadTest::address).toList();
        return spread.next(addresses, now).stream()
                .map(address -> address.getHostAddress().replace("0:0:0:0:0:0:0:", "::"))
                .collect(Collectors.joining(" "));
    }

    @Test
    void eachAddressIsTheFirstInItsTurn() {
        assertThat(next("1.1.1.1 2.2.2.2 3.3.3.3", 0)).isEqualTo("1.1.1.1 2.2.2.2 3.3.3.3");
        assertThat(next("1.1.1.1 2.2.2.2 3.3.3.3", 0)).isEqualTo("2.2.2.2 3.3.3.3 1.1.1.1");
        assertThat(next("1.1.1.1 2.2.2.2 3.3.3.3", 0)).isEqualTo("3.3.3.3 1.1.1.1 2.2.2.2");
        assertThat(next("1.1.1.1 2.2.2.2 3.3.3.3", 0)).isEqualTo("1.1.1.1 2.2.2.2 3.3.3.3");
        assertThat(next("1.1.1.1", 0)).isEqualTo("1.1.1.1");
    }

    @Test
    void familyThatTheSystemPrefersStaysFirst() {
        assertThat(next("::1 ::2 1.1.1.1 2.2.2.2", 0)).isEqualTo("::1 1.1.1.1 ::2 2.2.2.2");
        assertThat(next("::1 ::2 1.1.1.1 2.2.2.2", 0)).isEqualTo("::2 2.2.2.2 ::1 1.1.1.1");
        assertThat(next("::1 1.1.1.1", 0)).isEqualTo("::1 1.1.1.1");
        assertThat(next("::1 1.1.1.1", 0)).isEqualTo("::1 1.1.1.1");
    }

    @Test
    void deadOneComesLastAndIsTriedAgainByOneAttempt() {
        spread.failed(address("1.1.1.1"), 0);
        for (int i = 0; i < 4; i++) {
            assertThat(next("1.1.1.1 2.2.2.2", 10 * SECOND - 1)).isEqualTo("2.2.2.2 1.1.1.1");
        }
        assertThat(next("1.1.1.1 2.2.2.2", 10 * SECOND)).isEqualTo("1.1.1.1 2.2.2.2");
        // nobody has heard of that attempt yet
        assertThat(next("1.1.1.1 2.2.2.2", 10 * SECOND)).isEqualTo("2.2.2.2 1.1.1.1");
        assertThat(next("1.1.1.1 2.2.2.2", 10 * SECOND)).isEqualTo("2.2.2.2 1.1.1.1");
        spread.succeeded(address("1.1.1.1"));
        assertThat(next("1.1.1.1 2.2.2.2", 10 * SECOND)).isEqualTo("2.2.2.2 1.1.1.1");
        assertThat(next("1.1.1.1 2.2.2.2", 10 * SECOND)).isEqualTo("1.1.1.1 2.2.2.2");
    }

    @Test
    void addressThatTheNameLostIsForgotten() {
        spread.failed(address("1.1.1.1"), 0);
        next("2.2.2.2 3.3.3.3", 0);
        assertThat(next("1.1.1.1 2.2.2.2", 0) + next("1.1.1.1 2.2.2.2", 0)).contains("1.1.1.1 2.2.2.2");
    }
}
