package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.testing.OneIoThread;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.conduits.ConduitStreamSourceChannel;

/** A socket isn't asked for what it hasn't got, and nothing that comes is missed. */
@ExtendWith(LeakCheck.class)
class SocketReadsTest {
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private OneIoThread io;
    private XnioIoThread thread;
    private Socket peer;
    private StreamConnection connection;
    private ConduitStreamSourceChannel source;
    private CountedReads counted;
    private SocketReads reads;

    @BeforeEach
    void connect() throws Exception {
        io = OneIoThread.start();
        thread = io.thread();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            connection = thread.openStreamConnection(
                            (InetSocketAddress) server.getLocalSocketAddress(), null, null, OptionMap.EMPTY)
                    .get();
            peer = server.accept();
        }
        source = connection.getSourceChannel();
        io.call(() -> {
            counted = CountedReads.of(connection);
            reads = SocketReads.of(connection);
            source.setReadListener(channel -> {
                heard.add(read(8));
                channel.suspendReads();
            });
            return null;
        });
    }

    @AfterEach
    void close() throws Exception {
        peer.close();
        io.call(() -> {
            IoUtils.safeClose(connection);
            return null;
        });
        io.close();
    }

    private String read(int room) {
        ByteBuffer buffer = ByteBuffer.allocate(room);
        try {
            int read = source.read(buffer);
            return read < 0 ? "end" : new String(buffer.array(), 0, read);
        } catch (IOException e) {
            return "broken";
        }
    }

    private String now(int room) throws Exception {
        return io.call(() -> read(room));
    }

    /** What the listener reads first when it is told. */
    private String told() throws Exception {
        io.call(() -> {
            source.resumeReads();
            return null;
        });
        return heard.poll(30, TimeUnit.SECONDS);
    }

    private void send(String text) throws IOException {
        peer.getOutputStream().write(text.getBytes());
    }

    @Test
    void socketThatWasReadEmptyIsNotAskedAgain() throws Exception {
        send("abc");
        assertThat(told()).isEqualTo("abc");
        assertThat(counted.count()).isEqualTo(1);
        assertThat(now(8)).isEmpty();
        assertThat(io.call(() -> source.read(new ByteBuffer[] {ByteBuffer.allocate(4)}, 0, 1)))
                .isZero();
        assertThat(counted.count()).isEqualTo(1);
    }

    @Test
    void moreIsToldAndRead() throws Exception {
        send("abc");
        assertThat(told()).isEqualTo("abc");
        send("def");
        assertThat(told()).isEqualTo("def");
        assertThat(counted.count()).isEqualTo(2);
    }

    @Test
    void endIsTold() throws Exception {
        send("abc");
        assertThat(told()).isEqualTo("abc");
        peer.shutdownOutput();
        assertThat(told()).isEqualTo("end");
        assertThat(now(8)).as("an end stays one").isEqualTo("end");
    }

    @Test
    void fullBufferMayMeanMore() throws Exception {
        send("abcdefghij");
        assertThat(told()).isEqualTo("abcdefgh");
        assertThat(now(2)).isEqualTo("ij");
        assertThat(counted.count()).isEqualTo(2);
        assertThat(now(8)).isEmpty();
        assertThat(counted.count()).isEqualTo(3);
        assertThat(now(8)).isEmpty();
        assertThat(counted.count()).isEqualTo(3);
    }

    @Test
    void lookAsksTheSocket() throws Exception {
        send("abc");
        assertThat(told()).isEqualTo("abc");
        io.call(() -> {
            reads.look();
            return null;
        });
        assertThat(now(8)).isEmpty();
        assertThat(counted.count()).isEqualTo(2);
    }

    @Test
    void closedConnectionIsAtAnEnd() throws Exception {
        send("abc");
        assertThat(told()).isEqualTo("abc");
        io.call(() -> {
            IoUtils.safeClose(connection);
            return null;
        });
        assertThat(now(8)).isEqualTo("end");
    }

    @Test
    void readsThatAreShutDownAreAtAnEnd() throws Exception {
        send("abc");
        assertThat(told()).isEqualTo("abc");
        io.call(() -> {
            source.shutdownReads();
            return null;
        });
        assertThat(now(8)).isEqualTo("end");
    }
}
