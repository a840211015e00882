package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.testing.LoggedErrors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An upstream that should get gRPC calls and speaks HTTP/1.1 is logged once, with what to write in its place. */
class Http1UpstreamsTest {
    @ParameterizedTest
    @CsvSource({
        "http://a:1, expected: h2c:// for a service that speaks gRPC in cleartext",
        "https://a:1, 'expected: https+h2:// or .withHttp2(), for a service that chooses h2 by ALPN'",
        "https+h2://a:1, 'expected: a service that chooses h2 by ALPN, which it was offered'",
    })
    void warningNamesTheRemedy(String uri, String remedy) throws Exception {
        Route route = Route.builder().forward(uri).build();
        Http1Upstreams upstreams = new Http1Upstreams();
        try (LoggedErrors log = new LoggedErrors("io.webproxy.upstream")) {
            upstreams.met(Upstream.of(uri), route);
            upstreams.met(Upstream.of(uri), route);
            assertThat(log.warnings())
                    .singleElement()
                    .asString()
                    .startsWith(uri + " speaks HTTP/1.1, which carries no gRPC: ")
                    .endsWith("(" + remedy + ")");
        }
    }
}
