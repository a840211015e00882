package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Any bytes as frames after preface and settings: whole and in pieces they mean the same, and each stream is reset at
 * most once.
 */
class FrameReaderFuzzTest {
    private static final byte[] START =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int WINDOW = 100_000;

    private static final class Log extends FrameLog implements RequestReader.Handler {
        @Override
        public void request(int stream, RequestFields head, HeaderMap fields, boolean end) {
            open(stream);
            add("request " + stream + head.method() + head.path() + fields + end);
        }

        @Override
        public void malformed(int stream, @Nullable RequestFields head) {
            over(stream);
            add("malformed " + stream + (head == null));
        }
    }

    private static List<String> read(byte[] input, int each) {
        Log log = new Log();
        Http2Limits limits = Http2Limits.defaults();
        RequestReader reader =
                new RequestReader(log, limits, HttpLimits.defaults(), new FloodMeter(limits, () -> 0), WINDOW);
        assertThat(reader.take(ByteBuffer.wrap(START))).isEqualTo(-1);
        return log.read(reader, input, each);
    }

    @FuzzTest
    void frames(byte[] input) {
        List<String> whole = read(input, Math.max(1, input.length));
        assertThat(read(input, 1)).isEqualTo(whole);
        assertThat(read(input, 7)).isEqualTo(whole);
    }
}
