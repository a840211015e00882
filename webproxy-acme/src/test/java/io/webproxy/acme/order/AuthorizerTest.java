package io.webproxy.acme.order;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.acme.certificate.Wanted;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.shredzone.acme4j.Identifier;

class AuthorizerTest {
    @Test
    void caCannotHaveOtherNamesAnswered() {
        Wanted wanted = new Wanted(List.of("*.example.com", "::1"), "EC");
        assertThat(Authorizer.ordered(wanted, Identifier.dns("example.com"))).isTrue();
        assertThat(Authorizer.ordered(wanted, new Identifier("ip", "::1"))).isTrue();
        assertThat(Authorizer.ordered(wanted, Identifier.dns("www.example.com")))
                .isFalse();
        assertThat(Authorizer.ordered(wanted, new Identifier("dns", "::1"))).isFalse();
    }
}
