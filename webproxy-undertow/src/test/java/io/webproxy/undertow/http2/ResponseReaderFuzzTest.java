package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Any bytes as frames of an upstream after its settings: whole and in pieces they mean the same, and each stream has
 * one final head and one end at most.
 */
class ResponseReaderFuzzTest {
    private static final byte[] SETTINGS = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    private static final int WINDOW = 100_000;

    private static final class Log extends FrameLog implements ResponseReader.Handler {
        private final Set<Integer> responded = new HashSet<>();
        private final Set<Integer> ended = new HashSet<>();
        private @Nullable ResponseReader reader;

        private void end(int stream) {
            assertThat(ended.add(stream)).as("ended twice").isTrue();
        }

        @Override
        public void interim(int stream, int status, HeaderMap fields) {
            open(stream);
            assertThat(status).isBetween(100, 199).isNotEqualTo(101);
            assertThat(responded).doesNotContain(stream);
            add("interim " + stream + status + fields);
        }

        @Override
        public void response(int stream, int status, HeaderMap fields, boolean end) {
            open(stream);
            assertThat(status).isBetween(200, 599);
            assertThat(responded.add(stream)).as("answered twice").isTrue();
            add("response " + stream + status + fields + end);
            if (end) {
                end(stream);
            }
            if (stream == 7 && reader != null) {
                // its client has gone
                reader.wasReset(stream);
            }
        }

        @Override
        public void data(int stream, ByteBuffer some, boolean end) {
            assertThat(responded).contains(stream);
            assertThat(ended).doesNotContain(stream);
            super.data(stream, some, end);
            if (end) {
                end(stream);
            }
        }

        @Override
        public void trailers(int stream, HeaderMap trailers) {
            assertThat(responded).contains(stream);
            end(stream);
            super.trailers(stream, trailers);
        }

        @Override
        public void malformed(int stream, String why) {
            over(stream);
            add("malformed " + stream + why);
        }

        @Override
        public void tooLarge(int stream, String limit) {
            over(stream);
            add("too large " + stream);
        }
    }

    private static List<String> read(byte[] input, int each) {
        Log log = new Log();
        FloodMeter meter = new FloodMeter(Http2Limits.defaults(), () -> 0);
        ResponseReader reader = new ResponseReader(log, HttpLimits.defaults(), meter);
        log.reader = reader;
        assertThat(reader.take(ByteBuffer.wrap(SETTINGS))).isEqualTo(-1);
        reader.opened(1, false, false, WINDOW);
        reader.opened(3, true, false, WINDOW);
        reader.opened(5, false, true, WINDOW);
        reader.opened(7, false, false, WINDOW);
        return log.read(reader, input, each);
    }

    @FuzzTest
    void responses(byte[] input) {
        List<String> whole = read(input, Math.max(1, input.length));
        assertThat(read(input, 1)).isEqualTo(whole);
        assertThat(read(input, 7)).isEqualTo(whole);
    }
}
