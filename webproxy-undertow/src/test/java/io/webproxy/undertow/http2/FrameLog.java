package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a reader has handed on; bytes of one body that follow on each other are added up. Each stream is reset at most
 * once.
 */
abstract class FrameLog implements FrameReader.Handler {
    final List<String> lines = new ArrayList<>();
    private final Set<Integer> over = new HashSet<>();
    private int dataOf;
    private long bytes;

    final void add(String line) {
        flush();
        lines.add(line);
    }

    final void flush() {
        if (bytes > 0) {
            lines.add("data " + dataOf + " " + bytes);
            bytes = 0;
        }
    }

    /**
     * What a reader that hands on to this finds in input that comes in pieces; nothing after an error of the
     * connection.
     */
    final List<String> read(FrameReader reader, byte[] input, int each) {
        boolean ended = false;
        for (int at = 0; at < input.length; at += each) {
            ByteBuffer piece = ByteBuffer.wrap(input, at, Math.min(each, input.length - at));
            int before = lines.size();
            int error = reader.take(piece);
            assertThat(piece.hasRemaining()).isFalse();
            if (ended) {
                assertThat(error).isEqualTo(-1);
                assertThat(lines).hasSize(before);
            } else if (error >= 0) {
                ended = true;
                add("goaway " + error);
            }
        }
        flush();
        return lines;
    }

    final void over(int stream) {
        assertThat(over.add(stream)).as("reset twice").isTrue();
    }

    final void open(int stream) {
        assertThat(over).doesNotContain(stream);
    }

    @Override
    public void settings(PeerSettings changed) {
        add(changed.toString());
    }

    @Override
    public void settingsAcknowledged() {
        add("settings acknowledged");
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
