package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConnectorTest {
    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static List<InetAddress> addresses(String literals) {
        return Arrays.stream(literals.split(" "))
                .filter(literal -> !literal.isEmpty())
                .map(ConnectorTest::address)
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "'', ''",
        "1.1.1.1, 1.1.1.1",
        "1.1.1.1 ::1, 1.1.1.1 ::1",
        "::1 1.1.1.1, ::1 1.1.1.1",
        "1.1.1.1 2.2.2.2 3.3.3.3, 1.1.1.1 2.2.2.2 3.3.3.3",
        "::1 ::2 ::3 1.1.1.1 2.2.2.2, ::1 1.1.1.1 ::2 2.2.2.2 ::3",
        "1.1.1.1 2.2.2.2 ::1, 1.1.1.1 ::1 2.2.2.2",
        "1.1.1.1 ::1 ::2 ::3, 1.1.1.1 ::1 ::2 ::3",
        "::1 ::2 1.1.1.1 1.1.1.1, ::1 1.1.1.1 ::2 1.1.1.1"
    })
    void familiesTakeTurnsAndTheFirstOneStaysFirst(String found, String ordered) {
        assertThat(Connector.interleaved(addresses(found))).isEqualTo(addresses(ordered));
    }
}
