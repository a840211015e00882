package io.webproxy.undertow.message;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** Any bytes as a chunked body, and as field lines. */
class FramingFuzzTest {
    /** What became of an input. It is no record: Java 17 crashes on one in a method that the fuzzer has changed. */
    private static final class Decoded {
        private final ChunkedDecoder decoder;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private int at;

        Decoded(byte[] input, int piece, int room, Leniency leniency) {
            decoder = new ChunkedDecoder(leniency);
            while (at < input.length && !decoder.isEnd() && decoder.problem() == null) {
                step(ByteBuffer.wrap(input, at, Math.min(piece, input.length - at)), ByteBuffer.allocate(room));
            }
        }

        private void step(ByteBuffer source, ByteBuffer target) {
            int moved = decoder.decode(source, target);
            assertThat(moved).isEqualTo(target.position());
            assertThat(source.position()).isGreaterThan(at);
            bytes.write(target.array(), 0, moved);
            at = source.position();
        }

        String data() {
            return bytes.toString(StandardCharsets.ISO_8859_1);
        }

        @Override
        public String toString() {
            return at + " " + decoder.isEnd() + " " + decoder.problem() + " " + decoder.trailers() + " " + data();
        }
    }

    private static Decoded decode(byte[] input, int piece, int room) {
        return new Decoded(input, piece, room, Leniency.NONE);
    }

    @FuzzTest
    void chunked(byte[] input) {
        Decoded whole = decode(input, Math.max(1, input.length), Math.max(1, input.length));
        assertThat(decode(input, 1, 1)).hasToString(whole.toString());
        assertThat(decode(input, 3, 2)).hasToString(whole.toString());
        if (whole.decoder.isEnd()) {
            String again = (whole.data().isEmpty()
                            ? ""
                            : Integer.toHexString(whole.data().length()) + "\r\n" + whole.data() + "\r\n")
                    + "0\r\n\r\n";
            Decoded second = decode(again.getBytes(StandardCharsets.ISO_8859_1), 5, 7);
            assertThat(second.data()).isEqualTo(whole.data());
            assertThat(second.decoder.isEnd()).isTrue();
        }
        lenient(input, whole.toString());
    }

    /** It says what the strict one says, except where that finds padding. */
    private static void lenient(byte[] input, String strict) {
        Leniency leniency = new Leniency(deviations -> {});
        int most = Math.max(1, input.length);
        String whole = new Decoded(input, most, most, leniency).toString();
        assertThat(new Decoded(input, 1, 1, new Leniency(deviations -> {}))).hasToString(whole);
        if (!leniency.isUsed()) {
            assertThat(whole).isEqualTo(strict);
        }
    }

    /**
     * The fields as lines: sorted, for the map's own order depends on how it was filled; each name's values stay in
     * theirs.
     */
    private static String written(HeaderMap fields) {
        Map<String, String> lines = new TreeMap<>();
        for (HeaderValues values : fields) {
            String name = values.getHeaderName().toString();
            assertThat(FieldParser.isToken(name)).isTrue();
            StringBuilder out = new StringBuilder();
            for (String value : values) {
                assertThat(FieldParser.isValue(value)).isTrue();
                assertThat(value)
                        .doesNotStartWith(" ")
                        .doesNotEndWith(" ")
                        .doesNotStartWith("\t")
                        .doesNotEndWith("\t");
                out.append(name).append(": ").append(value).append("\r\n");
            }
            lines.put(name, out.toString());
        }
        return String.join("", lines.values()) + "\r\n";
    }

    @FuzzTest
    void fields(byte[] input) {
        HeaderMap fields = new HeaderMap();
        if (new FieldParser().parse(input, 0, input.length, 100, fields) == null) {
            String written = written(fields);
            byte[] again = written.getBytes(StandardCharsets.ISO_8859_1);
            HeaderMap second = new HeaderMap();
            assertThat(new FieldParser().parse(again, 0, again.length, 100, second))
                    .isNull();
            assertThat(written(second)).isEqualTo(written);
        }
    }
}
