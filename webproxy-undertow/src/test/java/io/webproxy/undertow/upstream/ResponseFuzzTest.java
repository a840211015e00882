package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.message.Leniency;
import io.webproxy.undertow.upstream.ParsedHead.Framing;
import io.webproxy.undertow.upstream.ResponseParser.Result;
import java.nio.ByteBuffer;

/** Any bytes of an upstream. */
class ResponseFuzzTest {
    private static final int MAX_BYTES = 2000;
    private static final int MAX_FIELDS = 20;

    private static String read(byte[] input, int piece, boolean noBody, Leniency leniency) {
        ResponseParser parser = new ResponseParser(FieldParser.ofResponseHeads(), MAX_BYTES, MAX_FIELDS, leniency);
        Result result = Result.MORE;
        int at = 0;
        while (result == Result.MORE && at < input.length) {
            ByteBuffer bytes = ByteBuffer.wrap(input, at, Math.min(piece, input.length - at));
            result = parser.feed(bytes, noBody);
            at = bytes.position();
        }
        if (result != Result.HEAD) {
            return result + " " + at + " " + parser.problem();
        }
        ParsedHead head = parser.take();
        assertThat(head.status()).isBetween(100, leniency.isUsed() ? 999 : 599);
        assertThat(head.contentLength()).isGreaterThanOrEqualTo(-1);
        assertThat(head.framing() == Framing.LENGTH && head.contentLength() < 0).isFalse();
        assertThat(head.framing() == Framing.CHUNKED && head.contentLength() >= 0)
                .isFalse();
        assertThat(head.fields().contains("Content-Length") && head.fields().contains("Transfer-Encoding"))
                .as("two framings")
                .isFalse();
        assertThat(head.reason()).matches(FieldParser::isValue);
        head.fields().forEach(values -> {
            assertThat(values.getHeaderName().toString()).matches(FieldParser::isToken);
            assertThat(values).allMatch(FieldParser::isValue);
        });
        return at + " " + head.status() + " " + head.reason() + " " + head.framing() + " " + head.contentLength() + " "
                + head.isPersistent() + " " + head.isUpgrade() + " " + head.fields();
    }

    @FuzzTest
    void response(byte[] input) {
        for (boolean noBody : new boolean[] {false, true}) {
            String whole = read(input, Math.max(1, input.length), noBody, Leniency.NONE);
            assertThat(read(input, 1, noBody, Leniency.NONE)).isEqualTo(whole);
            assertThat(read(input, 3, noBody, Leniency.NONE)).isEqualTo(whole);
            lenient(input, noBody, whole);
        }
    }

    /** It says what the strict one says, except where that finds a deviation. */
    private static void lenient(byte[] input, boolean noBody, String strict) {
        Leniency leniency = lenient();
        String whole = read(input, Math.max(1, input.length), noBody, leniency);
        assertThat(read(input, 1, noBody, lenient())).isEqualTo(whole);
        assertThat(read(input, 3, noBody, lenient())).isEqualTo(whole);
        boolean isHead = Character.isDigit(whole.charAt(0));
        if (Character.isDigit(strict.charAt(0)) || (isHead && !leniency.isUsed())) {
            assertThat(whole).isEqualTo(strict);
            assertThat(leniency.isUsed()).isFalse();
        }
    }

    private static Leniency lenient() {
        return new Leniency(deviations -> {});
    }
}
