package io.webproxy.acme.ca;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ExternalAccountTest {
    @Test
    void externalAccountShowsNoKey() {
        assertThat(new ExternalAccount("kid", "secret")).hasToString("ExternalAccount[keyId=kid]");
    }
}
