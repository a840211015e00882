package io.webproxy.undertow.tls.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerFlightTest {
    private static final String VERSION = "0303";
    private static final String RANDOM = "11".repeat(32);
    private static final String RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
    private static final String TLS_1_3 = "002b00020304";
    private static final String PRE_SHARED = "002900020000";
    private static final String CHANGE = "140303000101";
    private static final String CERTIFICATE = message(11, "00".repeat(300));
    private static final String TICKET = message(4, "00".repeat(90));

    private static String message(int type, String body) {
        return "%02x%06x%s".formatted(type, body.length() / 2, body);
    }

    private static String hello(String random, String extensions) {
        return message(
                2,
                VERSION + random + "02aaaa" + "1301" + "00" + "%04x".formatted(extensions.length() / 2) + extensions);
    }

    private static String record(String messages) {
        return "160303%04x%s".formatted(messages.length() / 2, messages);
    }

    private static ServerFlight read(String... records) {
        ServerFlight flight = new ServerFlight();
        for (String each : records) {
            byte[] bytes = HexFormat.of().parseHex(each);
            // after what is in the buffer already
            ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length + 7);
            buffer.position(3).put(bytes);
            flight.read(buffer, 3, buffer.position());
        }
        return flight;
    }

    @Test
    void serverHelloOfTls13SaysWhetherItTakesAPreSharedKey() {
        assertThat(read(record(hello(RANDOM, TLS_1_3 + PRE_SHARED))).isResumed())
                .isTrue();
        assertThat(read(record(hello(RANDOM, PRE_SHARED + TLS_1_3))).isResumed())
                .isTrue();
        assertThat(read(record(hello(RANDOM, TLS_1_3)), record(PRE_SHARED)).isResumed())
                .isFalse();
    }

    @Test
    void helloRetryRequestIsNotTheServerHello() {
        assertThat(read(record(hello(RETRY, TLS_1_3)) + CHANGE, record(hello(RANDOM, TLS_1_3 + PRE_SHARED)))
                        .isResumed())
                .isTrue();
        assertThat(read(record(hello(RETRY, TLS_1_3)) + CHANGE, record(hello(RANDOM, TLS_1_3)))
                        .isResumed())
                .isFalse();
    }

    @Test
    void serverHelloOfTls12IsFollowedByACertificateUnlessItResumes() {
        String hello = hello(RANDOM, "ff01000100");
        assertThat(read(record(hello + CERTIFICATE)).isResumed()).isFalse();
        assertThat(read(record(hello), record(CERTIFICATE), CHANGE).isResumed()).isFalse();
        assertThat(read(record(hello + TICKET)).isResumed()).isTrue();
        assertThat(read(record(hello), record(TICKET)).isResumed()).isTrue();
        // by a session id
        assertThat(read(record(hello) + CHANGE).isResumed()).isTrue();
        assertThat(read(record(hello(RANDOM, "")), CHANGE).isResumed()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"15030300020228", "1703030001ff", "1603030004010000", "16030300", "''"})
    void whatIsNoFlightResumesNothing(String bytes) {
        assertThat(read(bytes).isResumed()).isFalse();
    }

    @Test
    void noTruncationAndNoChangedByteThrows() {
        byte[] flight = HexFormat.of()
                .parseHex(record(hello(RETRY, TLS_1_3))
                        + CHANGE
                        + record(hello(RANDOM, TLS_1_3 + PRE_SHARED))
                        + record(CERTIFICATE));
        for (int i = 0; i < flight.length; i++) {
            assertThat(new ServerFlight().read(ByteBuffer.wrap(flight), 0, i)).isIn(true, false);
            for (int value = 0; value < 256; value += 5) {
                byte[] changed = flight.clone();
                changed[i] = (byte) value;
                assertThat(new ServerFlight().read(ByteBuffer.wrap(changed), 0, changed.length))
                        .isIn(true, false);
            }
        }
    }
}
