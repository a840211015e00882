package io.webproxy.observe;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ExchangeRecordTest {
    @Test
    void queryUserAgentAndRefererNeverShowInToString() {
        assertThat(Records.ofPath("/login"))
                .asString()
                .doesNotContain("hunter2", "token", "agent-secret", "referer-secret");
    }

    @Test
    void showsWhatHappened() {
        assertThat(Records.ofPath("/login"))
                .hasToString(
                        "ExchangeRecord[request-1 GET https://example.com/login HTTP/1.1 502 UPSTREAM_CLOSED route=/"
                                + " upstream=127.0.0.1:8080 class=DEFAULT->LONG in=12 out=34 total=PT1S]");
    }
}
