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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

@ExtendWith(LeakCheck.class)
class ListeningSocketTest {
    private static final InetAddress HOST = InetAddress.getLoopbackAddress();

    private final BlockingQueue<StreamConnection> accepted = new LinkedBlockingQueue<>();
    private final BlockingQueue<Thread> acceptedBy = new LinkedBlockingQueue<>();
    private final ThreadLoads loads = new ThreadLoads();
    private XnioWorker worker;

    @BeforeEach
    void startWorker() {
        worker = Xnio.getInstance().createWorkerBuilder().setWorkerIoThreads(2).build();
    }

    @AfterEach
    void stopWorker() throws InterruptedException {
        worker.shutdown();
        worker.awaitTermination(30, TimeUnit.SECONDS);
    }

    private ListeningSocket listen(int port) throws IOException {
        ListeningSocket socket = ListeningSocket.bind(worker, new InetSocketAddress(HOST, port), OptionMap.EMPTY);
        socket.onReady(() -> {
            try {
                for (StreamConnection one = socket.accept(loads); one != null; one = socket.accept(loads)) {
                    acceptedBy.add(Thread.currentThread());
                    accepted.add(one);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return socket;
    }

    private static Socket connect(ListeningSocket to) throws IOException {
        Socket client = new Socket(HOST, to.address().getPort());
        client.setSoTimeout(30_000);
        return client;
    }

    private StreamConnection next() throws InterruptedException {
        StreamConnection one = accepted.poll(30, TimeUnit.SECONDS);
        assertThat(one).isNotNull();
        return one;
    }

    /** Holds for the version of XNIO that is built with; another one may need another way. */
    @Test
    void connectionsAreAcceptedByTheThreadsThatServeThem() throws Exception {
        try (ListeningSocket socket = listen(0)) {
            assertThat(socket.isDirect()).isTrue();
            socket.resume();
            try (Socket client = connect(socket)) {
                StreamConnection one = next();
                assertThat(acceptedBy).containsExactly(one.getIoThread());
                assertThat(one.getPeerAddress()).isEqualTo(client.getLocalSocketAddress());
                assertThat(one.getLocalAddress()).isEqualTo(socket.address());
                // its thread sees what comes, and its close is seen by the client
                one.getSourceChannel().setReadListener(ready -> IoUtils.safeClose(one));
                one.getSourceChannel().resumeReads();
                client.getOutputStream().write('x');
                assertThat(closed(client)).isTrue();
            }
        }
    }

    @Test
    void threadThatIsHeldUpKeepsNoConnectionFromBeingAccepted() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        XnioIoThread busy = worker.getIoThread(0);
        try (ListeningSocket socket = listen(0)) {
            socket.resume();
            busy.execute(() -> {
                held.countDown();
                try {
                    release.await(30, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            assertThat(held.await(30, TimeUnit.SECONDS)).isTrue();
            for (int i = 0; i < 3; i++) {
                try (Socket client = connect(socket)) {
                    StreamConnection one = next();
                    assertThat(one.getIoThread()).isNotSameAs(busy);
                    one.close();
                }
            }
            release.countDown();
        } finally {
            release.countDown();
        }
    }

    /** Connections of a few clients use all threads, whichever thread is faster to accept them. */
    @Test
    void connectionsAreSpreadOverTheThreads() throws Exception {
        try (ListeningSocket socket = listen(0)) {
            socket.resume();
            int[] counts = new int[2];
            for (int i = 0; i < 8; i++) {
                try (Socket client = connect(socket)) {
                    StreamConnection one = next();
                    loads.opened(one.getIoThread());
                    counts[one.getIoThread().getNumber()]++;
                    one.close();
                }
            }
            assertThat(counts).containsExactly(4, 4);
        }
    }

    /** As when an update removes an endpoint, and the next one adds it again. */
    @Test
    void addressIsFreeOnceItIsClosed() throws Exception {
        int port = 0;
        for (int i = 0; i < 50; i++) {
            try (ListeningSocket socket = listen(port)) {
                socket.resume();
                port = socket.address().getPort();
                try (Socket client = connect(socket)) {
                    next().close();
                    assertThat(closed(client)).isTrue();
                }
            }
        }
    }

    @Test
    void closeWaitsNotForThreadsThatHaveEnded() throws Exception {
        ListeningSocket socket = listen(0);
        socket.resume();
        stopWorker();
        socket.close();
        assertThat(socket.isOpen()).isFalse();
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
