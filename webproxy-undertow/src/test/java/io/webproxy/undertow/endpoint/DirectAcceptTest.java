package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

@ExtendWith(LeakCheck.class)
class DirectAcceptTest {
    /** Holds for the version of XNIO that is built with; another one may need another way. */
    @Test
    void connectionsAreAcceptedStraightFromTheSocketAndBelongToAnIoThread() throws Exception {
        XnioWorker worker =
                Xnio.getInstance().createWorkerBuilder().setWorkerIoThreads(2).build();
        BlockingQueue<StreamConnection> accepted = new LinkedBlockingQueue<>();
        try {
            DirectAccept socket = DirectAccept.of(worker.createStreamConnectionServer(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, OptionMap.EMPTY));
            assertThat(socket.saysWhatFails()).isTrue();
            socket.onReady(ready -> {
                try {
                    for (StreamConnection one = socket.accept(); one != null; one = socket.accept()) {
                        accepted.add(one);
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            try (AcceptingChannel<StreamConnection> server = socket.server()) {
                server.resumeAccepts();
                InetSocketAddress address = server.getLocalAddress(InetSocketAddress.class);
                try (Socket client = new Socket(address.getAddress(), address.getPort())) {
                    client.setSoTimeout(30_000);
                    StreamConnection one = accepted.poll(30, TimeUnit.SECONDS);
                    assertThat(one).isNotNull();
                    assertThat(one.getPeerAddress()).isEqualTo(client.getLocalSocketAddress());
                    assertThat(one.getLocalAddress()).isEqualTo(address);
                    // its thread sees what comes, and its close is seen by the client
                    one.getSourceChannel().setReadListener(ready -> IoUtils.safeClose(one));
                    one.getSourceChannel().resumeReads();
                    client.getOutputStream().write('x');
                    assertThat(closed(client)).isTrue();
                }
            }
        } finally {
            worker.shutdown();
            worker.awaitTermination(30, TimeUnit.SECONDS);
        }
    }

    /** Bytes that are not read make a reset of the close. */
    private static boolean closed(Socket client) {
        try {
            return client.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }
}
