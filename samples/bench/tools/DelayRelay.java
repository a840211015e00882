import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A TCP relay over a long way: what it reads it writes a fixed time later, in each direction, at any rate. Arguments: the target's port on
 * 127.0.0.1, the delay of one direction in milliseconds. Prints {@code ready http://127.0.0.1:PORT/}.
 *
 * <p>Each direction of each connection has a queue of pieces with the time at which they are due. It holds {@value #MOST} bytes, which is the window of the
 * way; a full queue stops the reader, as a full way does. An end of one direction arrives late too.
 */
final class DelayRelay {
    /** At 25 ms it is enough for 2.6 GB/s. */
    private static final int MOST = 64 << 20;

    private static final int PIECE = 256 << 10;

    private DelayRelay() {}

    public static void main(String[] args) throws IOException {
        int target = Integer.parseInt(args[0]);
        long delay = TimeUnit.MICROSECONDS.toNanos((long) (Double.parseDouble(args[1]) * 1000));
        try (ServerSocket server = new ServerSocket(0, 1024, InetAddress.getByName("127.0.0.1"))) {
            System.out.println("ready http://127.0.0.1:" + server.getLocalPort() + "/");
            while (true) {
                Socket near = server.accept();
                start(() -> connect(near, target, delay));
            }
        }
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
    }

    private static void connect(Socket near, int target, long delay) {
        try {
            Socket far = new Socket(InetAddress.getByName("127.0.0.1"), target);
            near.setTcpNoDelay(true);
            far.setTcpNoDelay(true);
            new Direction(near, far, delay).start();
            new Direction(far, near, delay).start();
        } catch (IOException e) {
            close(near);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone either way
        }
    }

    /** Bytes and the time at which they are due; no bytes: the end. */
    private record Piece(byte[] bytes, int length, long due) {}

    private static final class Direction {
        private final Socket from;
        private final Socket to;
        private final long delay;
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition changed = lock.newCondition();
        private final ArrayDeque<Piece> pieces = new ArrayDeque<>();
        private final ArrayDeque<byte[]> spare = new ArrayDeque<>();
        private int held;
        private boolean broken;

        Direction(Socket from, Socket to, long delay) {
            this.from = from;
            this.to = to;
            this.delay = delay;
        }

        void start() {
            DelayRelay.start(this::read);
            DelayRelay.start(this::write);
        }

        private void read() {
            byte[] buffer = null;
            try {
                InputStream in = from.getInputStream();
                int length;
                do {
                    if (buffer == null) {
                        buffer = fresh();
                    }
                    length = in.read(buffer);
                    if (length > 0 && length < PIECE / 4) { // short pieces don't hold long arrays
                        byte[] copy = new byte[length];
                        System.arraycopy(buffer, 0, copy, 0, length);
                        add(copy, length);
                    } else {
                        add(buffer, length);
                        buffer = null;
                    }
                } while (length >= 0);
            } catch (IOException | InterruptedException e) {
                cut();
            }
        }

        private byte[] fresh() {
            lock.lock();
            try {
                byte[] known = spare.poll();
                return known == null ? new byte[PIECE] : known;
            } finally {
                lock.unlock();
            }
        }

        private void add(byte[] bytes, int length) throws IOException, InterruptedException {
            lock.lock();
            try {
                while (held > MOST && !broken) {
                    changed.await();
                }
                if (broken) {
                    throw new IOException("the other side is gone");
                }
                pieces.add(new Piece(bytes, length, System.nanoTime() + delay));
                held += Math.max(length, 0);
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        private void write() {
            try {
                OutputStream out = to.getOutputStream();
                for (Piece piece = next(); piece.length >= 0; piece = next()) {
                    for (long wait = piece.due - System.nanoTime(); wait > 0; wait = piece.due - System.nanoTime()) {
                        LockSupport.parkNanos(wait);
                    }
                    out.write(piece.bytes, 0, piece.length);
                    taken(piece);
                }
                LockSupport.parkNanos(delay);
                to.shutdownOutput();
            } catch (IOException | InterruptedException e) {
                cut();
            }
        }

        private Piece next() throws IOException, InterruptedException {
            lock.lock();
            try {
                while (pieces.isEmpty()) {
                    if (broken) {
                        throw new IOException("the other side is gone");
                    }
                    changed.await();
                }
                return pieces.poll();
            } finally {
                lock.unlock();
            }
        }

        private void taken(Piece piece) {
            lock.lock();
            try {
                held -= piece.length;
                if (piece.bytes.length == PIECE && spare.size() < 64) {
                    spare.add(piece.bytes);
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        /** One side broke: both are closed, and whoever waits goes. */
        private void cut() {
            close(from);
            close(to);
            lock.lock();
            try {
                broken = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
