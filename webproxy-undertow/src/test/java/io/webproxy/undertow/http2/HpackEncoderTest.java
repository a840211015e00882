package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HpackEncoderTest {
    private final HpackEncoder encoder = new HpackEncoder();
    private final HpackDecoder decoder = new HpackDecoder(4096);

    private byte[] block() {
        return Arrays.copyOf(encoder.bytes(), encoder.length());
    }

    private byte[] block(String name, String value) {
        encoder.start();
        encoder.field(new HttpString(name), value);
        return block();
    }

    private static String hex(byte[] block) {
        return HexFormat.of().formatHex(block);
    }

    /** {@link HttpString#toString} knows ASCII only. */
    private static String spelling(HttpString name) {
        byte[] bytes = new byte[name.length()];
        name.copyTo(bytes, 0);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private List<String> decoded(byte[] block) {
        List<String> fields = new ArrayList<>();
        assertThat(decoder.decode(block, 0, block.length, (name, value) -> fields.add(spelling(name) + ": " + value)))
                .isTrue();
        return fields;
    }

    @ParameterizedTest
    @CsvSource({"200, 88", "204, 89", "206, 8a", "304, 8b", "400, 8c", "404, 8d", "500, 8e", "302, 0803333032"})
    void statusTakesOneByteIfTheStaticTableHasIt(int code, String expected) {
        encoder.start();
        encoder.status(code);
        assertThat(hex(block())).isEqualTo(expected);
        assertThat(decoded(block())).containsExactly(":status: " + code);
    }

    @Test
    void fieldsThatRepeatTakeOneByteFromTheSecondBlockOn() {
        assertThat(hex(block("Content-Type", "text/html"))).startsWith("5f");
        assertThat(hex(block("content-type", "text/html"))).isEqualTo("be");
        assertThat(hex(block("X-Own", "same"))).startsWith("40");
        assertThat(hex(block("x-own", "same"))).isEqualTo("be");
        assertThat(hex(block("x-own", "other"))).as("the name by index").startsWith("7e");
    }

    @Test
    void wholeFieldsOfTheStaticTableTakeOneByte() {
        assertThat(hex(block(":method", "GET"))).isEqualTo("82");
        assertThat(hex(block(":method", "POST"))).isEqualTo("83");
        assertThat(hex(block(":path", "/index.html"))).isEqualTo("85");
        assertThat(hex(block(":scheme", "https"))).isEqualTo("87");
        assertThat(hex(block("Accept-Encoding", "gzip, deflate"))).isEqualTo("90");
        assertThat(hex(block("Accept", ""))).isEqualTo("93");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Authorization", "Cookie", "Proxy-Authorization", "Set-Cookie"})
    void secretsAreNeverIndexedSoThatTheirLengthTellsNothing(String name) {
        byte[] first = block(name, "a=b");
        assertThat(first[0] & 0xf0).isEqualTo(0x10);
        assertThat(block(name, "a=b")).isEqualTo(first);
        assertThat(block(name, "")[0] & 0xf0).isEqualTo(0x10);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length", "Date", "ETag", "Last-Modified", "Location", "X-Request-Id", "Age"})
    void whatChangesEachTimeDrivesNothingOutOfTheTable(String name) {
        byte[] first = block(name, "17");
        assertThat(first[0] & 0xf0).isZero();
        assertThat(block(name, "17")).isEqualTo(first);
    }

    @Test
    void largeFieldsDriveNothingOutOfTheTable() {
        block("server", "webproxy");
        assertThat(block("x-large", "x".repeat(2000))[0]).isZero();
        assertThat(hex(block("server", "webproxy"))).isEqualTo("be");
    }

    @ParameterizedTest
    @CsvSource({"100, 3f45", "0, 20"})
    void lowerLimitIsSaidBeforeTheNextBlock(int limit, String expected) {
        block("server", "webproxy");
        encoder.tableLimit(limit);
        assertThat(hex(block("server", "webproxy"))).startsWith(expected + (limit == 0 ? "0f27" : "be"));
        assertThat(hex(block("server", "webproxy"))).startsWith(limit == 0 ? "0f27" : "be");
    }

    @Test
    void ofSeveralLimitsTheLeastIsSaidAndThenTheLast() {
        decoded(block("server", "webproxy"));
        encoder.tableLimit(3000);
        encoder.tableLimit(0);
        encoder.tableLimit(2000);
        encoder.tableLimit(1000);
        byte[] block = block("server", "webproxy");
        assertThat(hex(block)).startsWith("203fc90776");
        assertThat(decoded(block)).containsExactly("server: webproxy");
        assertThat(decoder.table().limit()).isEqualTo(1000);
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 65_536, Integer.MAX_VALUE, -1})
    void tableNeverGrowsWhateverThePeerAllows(int limit) {
        encoder.tableLimit(limit);
        assertThat(hex(block(":method", "GET"))).isEqualTo("82");
        encoder.tableLimit(10);
        encoder.tableLimit(limit);
        assertThat(hex(block(":method", "GET"))).isEqualTo("2a3fe11f82");
    }

    @Test
    void lineEndsInValuesCannotForgeFields() {
        assertThat(decoded(block("X-Own", "a\r\nb\0c\u20ac\u00e9"))).containsExactly("x-own: a  b c?\u00e9");
    }

    @Test
    void huffmanIsUsedWhereItIsShorter() {
        assertThat(hex(block("etag", "aaaaaaaa"))).isEqualTo("0f13851" + "8c6318c63".substring(0, 9));
        assertThat(hex(block("etag", "\u00ff\u00fe"))).isEqualTo("0f1302fffe");
    }

    @Test
    void growsForAnyField() {
        String value = "\u00ff".repeat(300_000);
        assertThat(decoded(block("x-" + "n".repeat(5000), value)))
                .containsExactly("x-" + "n".repeat(5000) + ": " + value);
        assertThat(decoded(block("x-own", "a"))).containsExactly("x-own: a");
    }

    private static final String[] NAMES = {
        ":path", "Content-Type", "cookie", "Set-Cookie", "x-own", "X-Other", "vary", "server", "etag", "priority", ""
    };

    private static String text(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        boolean plain = random.nextInt(4) > 0;
        for (int i = 0; i < length; i++) {
            bytes[i] = plain ? (byte) (' ' + (bytes[i] & 0x3f)) : bytes[i];
        }
        return new String(bytes, StandardCharsets.ISO_8859_1)
                .replace('\r', ' ')
                .replace('\n', ' ')
                .replace('\0', ' ');
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void whatIsEncodedComesOutAgain(long seed) {
        Random random = new Random(seed);
        List<String> values = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            values.add(text(random, random.nextInt(random.nextInt(50) == 0 ? 3000 : 60)));
        }
        for (int i = 0; i < 1000; i++) {
            for (int changes = random.nextInt(50) == 0 ? random.nextInt(4) : 0; changes > 0; changes--) {
                encoder.tableLimit(random.nextInt(5000));
            }
            List<String> expected = new ArrayList<>();
            encoder.start();
            for (int fields = random.nextInt(12); fields > 0; fields--) {
                HttpString name = new HttpString(random.nextInt(10) == 0 ? text(random, 9) : NAMES[random.nextInt(11)]);
                String value = values.get(random.nextInt(values.size()));
                encoder.field(name, value);
                expected.add(lower(spelling(name)) + ": " + value);
            }
            assertThat(decoded(block())).isEqualTo(expected);
        }
    }

    private static String lower(String name) {
        StringBuilder out = new StringBuilder();
        name.chars()
                .forEach(c -> out.append(c < 128 ? String.valueOf((char) c).toLowerCase(Locale.ROOT) : "" + (char) c));
        return out.toString();
    }
}
