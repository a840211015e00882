package io.webproxy.undertow.observe;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.AccessLogFormat;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class JsonLineTest {
    /** A JSON object of texts, numbers, booleans, nulls and tags on one line, in ASCII or not (RFC 8259). */
    private static final Pattern FLAT_OBJECT = Pattern.compile("\\{M(,M)*,\"tags\":\\{(?:S:S(?:,S:S)*)?\\}\\}"
            .replace("M", "\"[a-z_]+\":(?:S|-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?|true|false|null)")
            .replace("S", "\"(?:[^\\x00-\\x1f\"\\\\]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-f]{4})*\""));

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static ExchangeData full() {
        return new ExchangeData(
                "request-1",
                Instant.ofEpochSecond(1_000_000_000, 123_456_789),
                address("2001:db8::1"),
                "operator",
                null,
                "POST",
                "https",
                "example.com:8443",
                "/a/b",
                "token=hunter2",
                "HTTP/2.0",
                "chat",
                "127.0.0.1:8080",
                "HTTP/1.1",
                502,
                true,
                TimeoutClass.DEFAULT,
                TimeoutClass.LONG,
                5,
                12_345_678_901L,
                2,
                Duration.ofNanos(1_500_000),
                Duration.ofMillis(12),
                Duration.ofSeconds(75),
                ForwardError.RESPONSE_BODY_IDLE,
                14,
                "curl/8.0",
                "https://example.com/",
                "00-1-2-01",
                "a=1,b=2",
                Map.of("tenant", "a", "model", "big"));
    }

    @SuppressWarnings("NullAway")
    private static ExchangeData empty() {
        return new ExchangeData(
                "request-1",
                Instant.EPOCH,
                address("192.0.2.1"),
                null,
                null,
                "GET",
                "http",
                "",
                "/",
                "",
                "HTTP/1.1",
                null,
                null,
                null,
                404,
                false,
                TimeoutClass.DEFAULT,
                TimeoutClass.DEFAULT,
                0,
                0,
                0,
                Duration.ZERO,
                null,
                Duration.ofNanos(999),
                null,
                null,
                null,
                null,
                null,
                null,
                Map.of());
    }

    /** A record in which every text that somebody else chooses is this one. */
    private static ExchangeData hostile(String text) {
        return new ExchangeData(
                text,
                Instant.EPOCH,
                address("192.0.2.1"),
                text,
                null,
                text,
                text,
                text,
                text,
                text,
                text,
                text,
                text,
                text,
                200,
                false,
                TimeoutClass.DEFAULT,
                TimeoutClass.DEFAULT,
                0,
                0,
                0,
                Duration.ZERO,
                null,
                Duration.ZERO,
                null,
                null,
                text,
                text,
                text,
                text,
                Map.of("t", text));
    }

    @Test
    void fullRecordIsThisLine() {
        assertThat(JsonLine.of(full(), true))
                .isEqualTo(
                        "{\"time\":\"2001-09-09T01:46:40.123456789Z\",\"request_id\":\"request-1\",\"client\":\"2001:db8::1\",\"user\":\"operator\","
                                + "\"method\":\"POST\",\"scheme\":\"https\",\"host\":\"example.com:8443\",\"path\":\"/a/b\","
                                + "\"query\":\"token=hunter2\",\"protocol\":\"HTTP/2.0\",\"status\":502,\"proxy_answered\":true,"
                                + "\"route\":\"chat\",\"upstream\":\"127.0.0.1:8080\",\"upstream_protocol\":\"HTTP/1.1\",\"class_start\":\"DEFAULT\","
                                + "\"class_end\":\"LONG\",\"bytes_in\":5,\"bytes_out\":12345678901,\"attempts\":2,\"connect\":0.001500,"
                                + "\"first_byte\":0.012000,\"total\":75.000000,\"error\":\"RESPONSE_BODY_IDLE\",\"grpc_status\":14,"
                                + "\"referer\":\"https://example.com/\",\"user_agent\":\"curl/8.0\",\"traceparent\":\"00-1-2-01\",\"tracestate\":\"a=1,b=2\",\"tags\":{\"model\":\"big\",\"tenant\":\"a\"}}");
    }

    @Test
    void whatIsUnknownIsNull() {
        assertThat(JsonLine.of(empty(), true))
                .isEqualTo(
                        "{\"time\":\"1970-01-01T00:00:00Z\",\"request_id\":\"request-1\",\"client\":\"192.0.2.1\",\"user\":null,"
                                + "\"method\":\"GET\",\"scheme\":\"http\",\"host\":\"\",\"path\":\"/\","
                                + "\"query\":\"\",\"protocol\":\"HTTP/1.1\",\"status\":404,\"proxy_answered\":false,"
                                + "\"route\":null,\"upstream\":null,\"upstream_protocol\":null,\"class_start\":\"DEFAULT\","
                                + "\"class_end\":\"DEFAULT\",\"bytes_in\":0,\"bytes_out\":0,\"attempts\":0,\"connect\":0.000000,"
                                + "\"first_byte\":null,\"total\":0.000001,\"error\":null,\"grpc_status\":null,"
                                + "\"referer\":null,\"user_agent\":null,\"traceparent\":null,\"tracestate\":null,\"tags\":{}}");
    }

    @Test
    void queryIsLeftOutUnlessItIsAskedFor() {
        assertThat(JsonLine.of(full(), false)).doesNotContain("query", "token", "hunter2");
        assertThat(JsonLine.of(full(), true).replace("\"query\":\"token=hunter2\",", ""))
                .isEqualTo(JsonLine.of(full(), false));
    }

    @ParameterizedTest
    @CsvSource({"INFO, false", "DEBUG, true", "TRACE, true"})
    void queryIsLoggedOnlyAtDebug(String level, boolean shown) {
        List<ILoggingEvent> events = logged(Level.toLevel(level));

        assertThat(events).singleElement().satisfies(event -> {
            assertThat(event.getLevel()).isEqualTo(Level.INFO);
            assertThat(event.getFormattedMessage()).isEqualTo(JsonLine.of(full(), shown));
        });
    }

    @Test
    void nothingIsLoggedAboveInfo() {
        assertThat(logged(Level.WARN)).isEmpty();
    }

    private static List<ILoggingEvent> logged(Level level) {
        Logger logger = (Logger) LoggerFactory.getLogger("io.webproxy.access");
        Level before = logger.getLevel();
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.start();
        logger.addAppender(appender);
        logger.setAdditive(false);
        logger.setLevel(level);
        try {
            AccessLog.log(full(), AccessLogFormat.JSON);
        } finally {
            logger.setLevel(before);
            logger.setAdditive(true);
            logger.detachAppender(appender);
        }
        return appender.list;
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "0022, \\\"",
                "005c, \\\\",
                "0000, \\u0000",
                "0008, \\u0008",
                "0009, \\u0009",
                "000a, \\u000a",
                "000d, \\u000d",
                "001b, \\u001b",
                "001f, \\u001f",
                "007f, \\u007f",
                "0080, \\u0080",
                "0085, \\u0085",
                "009b, \\u009b",
                "009f, \\u009f",
                "d800, \\ud800",
                "dbff, \\udbff",
                "dc00, \\udc00",
                "dfff, \\udfff"
            })
    void whatBreaksALineOrAParserIsEscaped(String unit, String escaped) {
        String text = "a" + (char) Integer.parseInt(unit, 16) + "b";

        assertThat(JsonLine.of(hostile(text), true)).contains("\"path\":\"a" + escaped + "b\"");
    }

    @Test
    void namesOfTagsAreEscaped() {
        ExchangeData e = empty();
        ExchangeData tagged = new ExchangeData(
                e.requestId(),
                e.start(),
                e.client(),
                e.userOrNull(),
                e.certificateOrNull(),
                e.method(),
                e.scheme(),
                e.authority(),
                e.path(),
                e.query(),
                e.protocol(),
                e.routeOrNull(),
                e.upstreamOrNull(),
                e.upstreamProtocolOrNull(),
                e.status(),
                e.proxyAnswered(),
                e.startClass(),
                e.endClass(),
                e.bytesIn(),
                e.bytesOut(),
                e.attempts(),
                e.connect(),
                e.firstByteOrNull(),
                e.total(),
                e.errorOrNull(),
                e.grpcStatusOrNull(),
                e.userAgentOrNull(),
                e.refererOrNull(),
                e.traceParentOrNull(),
                e.traceStateOrNull(),
                Map.of("a\",\n", "b"));

        assertThat(JsonLine.of(tagged, true)).matches(FLAT_OBJECT).endsWith("\"tags\":{\"a\\\",\\u000a\":\"b\"}}");
    }

    @Test
    void emojiStaysTheSameText() {
        assertThat(JsonLine.of(hostile("\ud83d\ude00"), true)).contains("\"path\":\"\\ud83d\\ude00\"");
    }

    @Test
    void everyOtherCharacterStaysAsItIs() {
        for (String text : List.of(" ", "/", "'", "~", "\u00a0", "é", "漢", "\u007e", "\ue000", "\uffff")) {
            assertThat(JsonLine.of(hostile(text), true)).contains("\"path\":\"" + text + "\"");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\",\"status\":200,\"x\":\"",
                "\\",
                "\\\"",
                "\\u0022",
                "x\r\n{\"time\":\"1970-01-01T00:00:00Z\"}",
                "}\n{",
                "\u2028\u2029",
                "null",
                ""
            })
    void clientCannotForgeALineOrAField(String text) {
        String line = JsonLine.of(hostile(text), true);
        String harmless = JsonLine.of(hostile("x"), true);

        assertThat(line).matches(FLAT_OBJECT);
        assertThat(names(line)).isEqualTo(names(harmless));
        assertThat(line.chars().noneMatch(Character::isISOControl)).isTrue();
    }

    /** The line without the contents of its texts that aren't names. */
    private static String names(String line) {
        return line.replaceAll(":\"(?:[^\"\\\\]|\\\\.)*\"", ":\"\"");
    }

    @Test
    void anyCharacterGivesValidJsonOnOneLine() {
        for (int c = 0; c <= 0xffff; c += c < 0x300 ? 1 : 61) {
            String line = JsonLine.of(hostile(String.valueOf((char) c)), true);
            if (!FLAT_OBJECT.matcher(line).matches() || line.chars().anyMatch(Character::isISOControl)) {
                throw new AssertionError(Integer.toHexString(c) + ": " + line);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ar-EG-u-nu-arab", "de-DE", "tr-TR", "hi-IN-u-nu-deva", "fa-IR", "th-TH-u-ca-buddhist-nu-thai"})
    void numbersAreWrittenTheSameInEveryLocale(String tag) {
        String expected = JsonLine.of(full(), true);
        String escaped = JsonLine.of(hostile("\u001b"), true);
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag(tag));
        try {
            assertThat(JsonLine.of(full(), true)).isEqualTo(expected);
            assertThat(JsonLine.of(hostile("\u001b"), true)).isEqualTo(escaped);
        } finally {
            Locale.setDefault(before);
        }
    }
}
