package io.webproxy.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Stands between two that talk TCP, passes every byte on, and has faults: in either direction, behind a number of
 * bytes.
 */
public final class FaultProxy implements AutoCloseable {
    private final int target;
    private final RawUpstream front;
    private volatile Fault request = Fault.NONE;
    private volatile Fault response = Fault.NONE;
    private final CountDownLatch stalled = new CountDownLatch(1);

    private FaultProxy(int target) throws IOException {
        this.target = target;
        this.front = RawUpstream.start(this::serve);
    }

    /** A proxy without faults, on a free port of the loopback address, in front of another port of it. */
    public static FaultProxy before(int target) throws IOException {
        return new FaultProxy(target);
    }

    /** What connections have from now on, in what the client sends and in what it gets. */
    public void faults(Fault inRequests, Fault inResponses) {
        request = inRequests;
        response = inResponses;
    }

    /** Waits until the first direction stalls. */
    public void awaitStall() throws InterruptedException {
        if (!stalled.await(30, TimeUnit.SECONDS)) {
            throw new AssertionError("nothing stalls");
        }
    }

    /** {@code http://127.0.0.1:port}. */
    public String uri() {
        return front.uri();
    }

    private void serve(RawConnection connection) throws IOException, InterruptedException {
        Socket client = connection.socket();
        Fault up = request;
        Fault down = response;
        try (Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            Thread back = new Thread(() -> pump(server, client, down), "fault-proxy");
            back.start();
            pump(client, server, up);
            back.join();
        }
    }

    /** Ends with the direction; what ends one side in disorder ends the other. */
    private void pump(Socket from, Socket to, Fault fault) {
        try {
            if (copy(from, to, fault)) {
                to.shutdownOutput();
            }
        } catch (IOException | InterruptedException e) {
            reset(from);
            reset(to);
        }
    }

    /** Whether the direction ends in good order. */
    private boolean copy(Socket from, Socket to, Fault fault) throws IOException, InterruptedException {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        byte[] buffer = new byte[8192];
        long left = fault.kind() == Fault.Kind.NONE ? Long.MAX_VALUE : fault.offset();
        int aloneLeft = fault.kind() == Fault.Kind.BYTE_WISE ? Fault.ALONE : Integer.MAX_VALUE;
        while (true) {
            if (left == 0) {
                switch (fault.kind()) {
                    case DELAY -> RawConnection.pace(fault.pause());
                    case STALL -> {
                        stalled.countDown();
                        waitForEnd(in);
                        return true;
                    }
                    case HALF_CLOSE -> {
                        to.shutdownOutput();
                        waitForEnd(in);
                        return false;
                    }
                    case CUT -> {
                        from.close();
                        to.close();
                        return false;
                    }
                    case RESET -> {
                        reset(from);
                        reset(to);
                        return false;
                    }
                    default -> {
                        // goes on, in its own way
                    }
                }
                left = Long.MAX_VALUE;
            }
            boolean alone = left == Long.MAX_VALUE
                    && aloneLeft > 0
                    && (fault.kind() == Fault.Kind.BYTE_WISE || fault.kind() == Fault.Kind.TRICKLE);
            int read = in.read(buffer, 0, alone ? 1 : (int) Math.min(left, buffer.length));
            if (read < 0) {
                return true;
            }
            aloneLeft -= alone ? 1 : 0;
            if (alone && fault.kind() == Fault.Kind.TRICKLE) {
                RawConnection.pace(fault.pause());
            }
            out.write(buffer, 0, read);
            left = left == Long.MAX_VALUE ? left : left - read;
        }
    }

    private static void waitForEnd(InputStream in) throws IOException {
        in.transferTo(OutputStream.nullOutputStream());
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            // it is closed already
        }
    }

    @Override
    public void close() throws IOException {
        front.close();
    }
}
