package io.webproxy.undertow.message;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrpcTest {
    @ParameterizedTest
    @CsvSource({
        "application/grpc, true",
        "Application/GRPC, true",
        "application/grpc+proto, true",
        "application/grpc;charset=utf-8, true",
        "application/grpc ; x=y, true",
        "application/grpc-web, false",
        "application/grpc-web+proto, false",
        "application/grpcx, false",
        "application/grp, false",
        "application/json, false",
        ", false",
        "'', false",
    })
    void callsAreToldByTheirMediaType(String type, boolean call) {
        assertThat(Grpc.isCall(type)).isEqualTo(call);
    }

    @ParameterizedTest
    @CsvSource({
        "1H, 3600000000000",
        "2M, 120000000000",
        "30S, 30000000000",
        "100m, 100000000",
        "7u, 7000",
        "99999999n, 99999999",
        "00000001n, 1",
        "0n, 0",
        "99999999H, 9223372036854775807",
        "100000000n, -1",
        "1, -1",
        "S, -1",
        "'', -1",
        ", -1",
        "-1S, -1",
        "1.5S, -1",
        "1s, -1",
        "1 S, -1",
        "+1S, -1",
    })
    void timeoutIsReadAsTheSpecificationHasIt(String value, long nanos) {
        assertThat(Grpc.timeout(value)).isEqualTo(nanos);
    }

    @Test
    void timeoutIsWrittenWithoutBecomingLongerOrZero() {
        for (long nanos = 1; nanos < TimeUnit.DAYS.toNanos(1000); nanos = nanos * 7 / 3 + 1) {
            String written = Grpc.timeout(nanos);
            assertThat(written).hasSizeLessThanOrEqualTo(9);
            assertThat(Grpc.timeout(written)).isLessThanOrEqualTo(nanos).isGreaterThan(nanos - nanos / 100_000 - 1);
        }
        assertThat(Grpc.timeout(-5)).isEqualTo("1n");
        assertThat(Grpc.timeout(Long.MAX_VALUE)).isEqualTo("99999999S");
    }

    @ParameterizedTest
    @CsvSource({
        "502, 14", "503, 14", "504, 4", "401, 16", "403, 7", "404, 12", "413, 8", "429, 8", "400, 13", "500, 13",
        "408, 4", "405, 12", "501, 12", "414, 8", "431, 8", "421, 14", "508, 13", "308, 2", "417, 2", "426, 2", "418, 2"
    })
    void statusOfHttpHasOneOfGrpc(int http, int grpc) {
        assertThat(Grpc.statusOf(http)).isEqualTo(grpc);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 13",
        "1, 13",
        "2, 13",
        "3, 13",
        "7, 14",
        "8, 1",
        "9, 13",
        "11, 8",
        "12, 7",
        "13, 13",
        "4294967288, 13"
    })
    void codeOfAResetHasAStatus(long code, int status) {
        assertThat(Grpc.statusOfReset(code)).isEqualTo(status);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "16, 16", "7, 7", "17, 2", "99, 2", "100, -1", "-1, -1", "x, -1", "'', -1", ", -1"})
    void statusIsReadFromItsField(String value, int status) {
        assertThat(Grpc.status(value)).isEqualTo(status);
    }

    @ParameterizedTest
    @CsvSource({
        "all is ~fine!, all is ~fine!",
        "100 %, 100 %25",
        "größer, gr%C3%B6%C3%9Fer",
        "'', ''",
    })
    void messageIsPercentEncoded(String message, String encoded) {
        assertThat(Grpc.encoded(message)).isEqualTo(encoded);
        assertThat(URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8))
                .isEqualTo(message);
    }

    @Test
    void messageCannotSplitAField() {
        HeaderMap fields = new HeaderMap();
        Grpc.end(fields, 14, "a\r\nb\u0000\u007f\ud83d\ude00");

        assertThat(fields.getFirst(Grpc.STATUS)).isEqualTo("14");
        assertThat(fields.getFirst(Grpc.MESSAGE)).isEqualTo("a%0D%0Ab%00%7F%F0%9F%98%80");
    }
}
