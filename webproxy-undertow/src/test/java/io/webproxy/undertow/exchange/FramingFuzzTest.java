package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Any bytes as a chunked body, and as field lines. */
class FramingFuzzTest {
    private record Decoded(
            String data, int read, boolean end, @Nullable String problem, String trailers) {}

    private static Decoded decode(byte[] input, int piece, int room) {
        ChunkedDecoder decoder = new ChunkedDecoder();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        int at = 0;
        while (at < input.length && !decoder.isEnd() && decoder.problem() == null) {
            ByteBuffer source = ByteBuffer.wrap(input, at, Math.min(piece, input.length - at));
            ByteBuffer target = ByteBuffer.allocate(room);
            int moved = decoder.decode(source, target);
            assertThat(moved).isEqualTo(target.position());
            data.write(target.array(), 0, moved);
            assertThat(source.position()).isGreaterThan(at);
            at = source.position();
        }
        return new Decoded(
                data.toString(StandardCharsets.ISO_8859_1),
                at,
                decoder.isEnd(),
                decoder.problem(),
                String.valueOf(decoder.trailers()));
    }

    @FuzzTest
    void chunked(byte[] input) {
        Decoded whole = decode(input, Math.max(1, input.length), Math.max(1, input.length));
        assertThat(decode(input, 1, 1)).isEqualTo(whole);
        assertThat(decode(input, 3, 2)).isEqualTo(whole);
        if (whole.end()) {
            String again = (whole.data().isEmpty()
                            ? ""
                            : Integer.toHexString(whole.data().length()) + "\r\n" + whole.data() + "\r\n")
                    + "0\r\n\r\n";
            Decoded second = decode(again.getBytes(StandardCharsets.ISO_8859_1), 5, 7);
            assertThat(second.data()).isEqualTo(whole.data());
            assertThat(second.end()).isTrue();
        }
    }

    private static String written(HeaderMap fields) {
        StringBuilder out = new StringBuilder();
        for (HeaderValues values : fields) {
            for (String value : values) {
                assertThat(FieldParser.isToken(values.getHeaderName().toString()))
                        .isTrue();
                assertThat(FieldParser.isValue(value)).isTrue();
                assertThat(value).isEqualTo(value.strip());
                out.append(values.getHeaderName()).append(": ").append(value).append("\r\n");
            }
        }
        return out.append("\r\n").toString();
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
