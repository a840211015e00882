package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.Upstream;
import io.webproxy.spi.SessionAffinity;
import org.junit.jupiter.api.Test;

class HeaderAffinityTest {
    private static final Upstream A = Upstream.of("http://a");
    private static final Upstream B = Upstream.of("http://b");

    private final HeaderAffinity affinity = new HeaderAffinity(SessionAffinity.header("X-Session", choice -> 0), 3);

    @Test
    void valueThatWasNotUsedForLongestIsForgottenFirst() {
        affinity.given("1", A);
        affinity.given("2", B);
        affinity.given("3", A);
        assertThat(affinity.giver("1")).isEqualTo(A);
        affinity.given("4", B);

        assertThat(affinity.giver("2")).isNull();
        assertThat(affinity.giver("1")).isEqualTo(A);
        assertThat(affinity.giver("3")).isEqualTo(A);
        assertThat(affinity.giver("4")).isEqualTo(B);
    }

    @Test
    void lastUpstreamThatGivesAValueHasIt() {
        affinity.given("1", A);
        affinity.given("1", B);

        assertThat(affinity.giver("1")).isEqualTo(B);
    }
}
