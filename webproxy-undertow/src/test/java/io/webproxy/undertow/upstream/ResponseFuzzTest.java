package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.upstream.ParsedHead.Framing;
import io.webproxy.undertow.upstream.ResponseParser.Result;
import java.nio.ByteBuffer;

/** Any bytes of an upstream. */
class ResponseFuzzTest {
    private static final int MAX_BYTES = 2000;
    private static final int MAX_FIELDS = 20;

    private static String read(byte[] input, int piece, boolean noBody) {
        ResponseParser parser = new ResponseParser(new FieldParser(), MAX_BYTES, MAX_FIELDS);
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
        assertThat(head.status()).isBetween(100, 599);
        assertThat(head.contentLength()).isGreaterThanOrEqualTo(-1);
        assertThat(head.framing() == Framing.LENGTH && head.contentLength() < 0).isFalse();
        assertThat(head.framing() == Framing.CHUNKED && head.contentLength() >= 0)
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
            String whole = read(input, Math.max(1, input.length), noBody);
            assertThat(read(input, 1, noBody)).isEqualTo(whole);
            assertThat(read(input, 3, noBody)).isEqualTo(whole);
        }
    }
}
