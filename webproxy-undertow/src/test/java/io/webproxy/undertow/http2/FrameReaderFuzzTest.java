package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Any bytes as frames after preface and settings: whole and in pieces they mean the same, and each stream is reset at most once. */
class FrameReaderFuzzTest {
    private static final byte[] START =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int WINDOW = 100_000;

    /** What a reader has handed on; bytes of one body that follow on each other are added up. */
    private static final class Log implements RequestReader.Handler {
        private final List<String> lines = new ArrayList<>();
        private final Set<Integer> over = new HashSet<>();
        private int dataOf;
        private long bytes;

        private void add(String line) {
            flush();
            lines.add(line);
        }

        private void flush() {
            if (bytes > 0) {
                lines.add("data " + dataOf + " " + bytes);
                bytes = 0;
            }
        }

        private void over(int stream) {
            assertThat(over.add(stream)).as("reset twice").isTrue();
        }

        private void open(int stream) {
            assertThat(over).doesNotContain(stream);
        }

        @Override
        public void settings(PeerSettings changed) {
            add(changed.toString());
        }

        @Override
        public void request(int stream, RequestFields head, HeaderMap fields, boolean end) {
            open(stream);
            add("request " + stream + head.method() + head.path() + fields + end);
        }

        @Override
        public void data(int stream, ByteBuffer some, boolean end) {
            open(stream);
            if (stream != dataOf) {
                flush();
            }
            dataOf = stream;
            bytes += some.remaining();
            if (end) {
                add("end " + stream);
            }
        }

        @Override
        public void trailers(int stream, HeaderMap trailers) {
            open(stream);
            add("trailers " + stream + trailers);
        }

        @Override
        public void resetByPeer(int stream, int code) {
            open(stream);
            over.add(stream);
            add("client resets " + stream + " " + code);
        }

        @Override
        public void reset(int stream, int code) {
            if (code != ErrorCode.STREAM_CLOSED) {
                over(stream);
            }
            add("reset " + stream + " " + code);
        }

        @Override
        public void malformed(int stream, @Nullable RequestFields head) {
            over(stream);
            add("malformed " + stream + (head == null));
        }

        @Override
        public void windowUpdate(int stream, int more) {
            assertThat(more).isPositive();
            add("client opens " + stream + " " + more);
        }

        @Override
        public void openWindow(int stream, int more) {
            assertThat(more).isPositive();
            add("window " + stream + " " + more);
        }

        @Override
        public void leaving(int last, int code) {
            add("leaving");
        }

        @Override
        public void ping(long payload) {
            add("ping " + payload);
        }

        @Override
        public void pong(long payload) {
            add("pong " + payload);
        }
    }

    private static List<String> read(byte[] input, int each) {
        Log log = new Log();
        Http2Limits limits = Http2Limits.defaults();
        RequestReader reader =
                new RequestReader(log, limits, HttpLimits.defaults(), new FloodMeter(limits, () -> 0), WINDOW);
        assertThat(reader.take(ByteBuffer.wrap(START))).isEqualTo(-1);
        boolean over = false;
        for (int at = 0; at < input.length; at += each) {
            ByteBuffer piece = ByteBuffer.wrap(input, at, Math.min(each, input.length - at));
            int lines = log.lines.size();
            int error = reader.take(piece);
            assertThat(piece.hasRemaining()).isFalse();
            if (over) {
                assertThat(error).isEqualTo(-1);
                assertThat(log.lines).hasSize(lines);
            } else if (error >= 0) {
                over = true;
                log.add("goaway " + error);
            }
        }
        log.flush();
        return log.lines;
    }

    @FuzzTest
    void frames(byte[] input) {
        List<String> whole = read(input, Math.max(1, input.length));
        assertThat(read(input, 1)).isEqualTo(whole);
        assertThat(read(input, 7)).isEqualTo(whole);
    }
}
