package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlsChallengesTest {
    @ParameterizedTest
    @CsvSource({
        "A.Example., a.example",
        "192.0.2.1, 1.2.0.192.in-addr.arpa",
        "2001:db8::1, 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    })
    void addressesAreAskedForByTheirReverseName(String name, String asked) {
        assertThat(TlsChallenges.askedFor(name)).isEqualTo(asked);
    }
}
