package io.webproxy.undertow.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ForwardError;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AccessLogTest {
    private String user;
    private String method = "GET";
    private String authority = "example.com";
    private String path = "/a";
    private String query = "";
    private String route = "/";
    private String upstream = "127.0.0.1:8080";
    private TimeoutClass endClass = TimeoutClass.DEFAULT;
    private Duration firstByte = Duration.ofMillis(12);
    private String upstreamProtocol = "HTTP/2.0";
    private ForwardError error;
    private Integer grpcStatus;
    private String userAgent;
    private String referer;
    private String traceParent;
    private String traceState;

    private String line(boolean withQuery) {
        try {
            return AccessLog.line(
                    new ExchangeData(
                            "request-1",
                            Instant.ofEpochSecond(1_000_000_000),
                            InetAddress.getByName("192.0.2.1"),
                            user,
                            null,
                            method,
                            "https",
                            authority,
                            path,
                            query,
                            "HTTP/1.1",
                            route,
                            upstream,
                            upstreamProtocol,
                            200,
                            false,
                            TimeoutClass.DEFAULT,
                            endClass,
                            5,
                            1234,
                            1,
                            Duration.ofNanos(1_500_000),
                            firstByte,
                            Duration.ofSeconds(75),
                            error,
                            grpcStatus,
                            userAgent,
                            referer,
                            traceParent,
                            traceState,
                            java.util.Map.of()),
                    withQuery);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void lineIsCombinedFormatThenWhatAProxyKnows() {
        user = "operator";
        userAgent = "curl/8.0";
        referer = "https://example.com/";
        endClass = TimeoutClass.LONG;
        error = ForwardError.RESPONSE_BODY_IDLE;
        grpcStatus = 4;
        traceParent = "00-1-2-01";
        traceState = "a=b\"c, d=e";

        assertThat(line(false))
                .isEqualTo("192.0.2.1 - operator [09/Sep/2001:01:46:40 +0000] \"GET /a HTTP/1.1\" 200 1234"
                        + " \"https://example.com/\" \"curl/8.0\" host=example.com route=/ upstream=127.0.0.1:8080"
                        + " upstream_protocol=HTTP/2.0 class=DEFAULT>LONG in=5 attempts=1 connect=0.002"
                        + " first=0.012 total=75.000 error=RESPONSE_BODY_IDLE grpc_status=4 traceparent=00-1-2-01"
                        + " tracestate=a=b\\\"c,_d=e id=request-1");
    }

    @Test
    void whatIsNotThereIsADash() {
        authority = "";
        route = null;
        upstream = null;
        upstreamProtocol = null;
        firstByte = null;

        assertThat(line(false))
                .startsWith("192.0.2.1 - - [")
                .endsWith("200 1234 \"-\" \"-\" host=- route=- upstream=- upstream_protocol=- class=DEFAULT in=5"
                        + " attempts=1 connect=0.002 first=- total=75.000 error=- grpc_status=- traceparent=-"
                        + " tracestate=- id=request-1");
    }

    @Test
    void queryIsHiddenUnlessItIsAskedFor() {
        query = "token=hunter2";

        assertThat(line(false)).contains("\"GET /a?… HTTP/1.1\"").doesNotContain("hunter2", "token");
        assertThat(line(true)).contains("\"GET /a?token=hunter2 HTTP/1.1\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x\r\n192.0.2.9 - - forged",
                "x\ny",
                "x\ry",
                "x\0y",
                "x\u001b[2Jy",
                "x\u007fy",
                "x\u0085y",
                "x\u009by",
                "x\ty"
            })
    void clientCannotForgeALine(String hostile) {
        user = hostile;
        method = hostile;
        authority = hostile;
        path = hostile;
        query = hostile;
        route = hostile;
        upstream = hostile;
        userAgent = hostile;
        referer = hostile;

        for (boolean withQuery : new boolean[] {false, true}) {
            String line = line(withQuery);
            assertThat(line.chars().noneMatch(Character::isISOControl)).as(line).isTrue();
            assertThat(line).contains("\\x" + String.format(Locale.ROOT, "%02x", (int) hostile.charAt(1)));
        }
    }

    @Test
    void clientCannotLeaveItsQuotes() {
        path = "/\" 200 1 \"";
        query = "\"";
        userAgent = "a\" 200 \\";
        referer = "\\\" b";

        String line = line(true);

        assertThat(line)
                .contains("\"GET /\\\" 200 1 \\\"?\\\" HTTP/1.1\" 200 1234")
                .contains(" \"\\\\\\\" b\" \"a\\\" 200 \\\\\" host=");
        assertThat(line.replaceAll("\\\\.", "").chars().filter(c -> c == '"').count())
                .isEqualTo(6);
    }

    @Test
    void clientCannotForgeAFieldByASpace() {
        user = "operator [forged]";
        authority = "a error=- b";
        route = "my route";

        assertThat(line(false))
                .startsWith("192.0.2.1 - operator_[forged] [")
                .contains(" host=a_error=-_b route=my_route upstream=");
    }

    @Test
    void numbersAreWrittenTheSameInEveryLocale() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertThat(line(false)).contains("[09/Sep/2001:01:46:40 +0000]", "connect=0.002", "total=75.000");
        } finally {
            Locale.setDefault(before);
        }
    }
}
