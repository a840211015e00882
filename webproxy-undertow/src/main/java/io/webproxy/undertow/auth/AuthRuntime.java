package io.webproxy.undertow.auth;

import io.webproxy.undertow.deadline.Daemons;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.jspecify.annotations.Nullable;

/**
 * The threads that one server offers its authenticators. Thread-safe.
 *
 * <p>It has one daemon thread per two processors, at least one; each starts with the first task that needs it. While
 * 256 tasks wait, further ones are rejected with a {@link RejectedExecutionException}; repeating tasks continue.
 */
public final class AuthRuntime implements AutoCloseable {
    private static final int MAX_WAITING = 256;

    /** bcrypt ignores the bytes after these. */
    private static final int MAX_PASSWORD_BYTES = 72;

    private static final Pattern BCRYPT = Pattern.compile("\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}");

    private final BoundedExecutor executor =
            new BoundedExecutor(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));

    /** Daemon threads for slow or repeating tasks. */
    public ScheduledExecutorService executor() {
        return executor;
    }

    /** The password files whose users are sent to upstreams. */
    public SentUsers sent() {
        return executor.sent;
    }

    /** From now on the users of these files are sent: a change that adds others isn't taken. */
    public void send(SentUsers users) {
        executor.sent = users;
    }

    /** Drops waiting tasks; the threads end after their current task. Idempotent, doesn't wait. */
    @Override
    public void close() {
        executor.shutdownNow();
    }

    /** The services with an executor, the clock of the JVM and bcrypt. */
    record Lent(ScheduledExecutorService executor) implements AuthServices {
        @Override
        public @Nullable String senderOf(Path file) {
            return executor instanceof BoundedExecutor own ? own.sent.senderOf(file) : null;
        }

        @Override
        public LongSupplier nanoClock() {
            return System::nanoTime;
        }

        @Override
        public boolean verifyBcrypt(byte[] password, String hash) {
            if (password.length > MAX_PASSWORD_BYTES || !BCRYPT.matcher(hash).matches()) {
                return false;
            }
            try {
                return OpenBSDBCrypt.checkPassword(hash, password);
            } catch (RuntimeException e) {
                return false;
            }
        }
    }

    /**
     * {@code execute} and {@code submit} call {@code schedule}; repeating tasks requeue themselves and aren't counted
     * again.
     */
    private static final class BoundedExecutor extends ScheduledThreadPoolExecutor {
        private volatile SentUsers sent = SentUsers.NONE;

        BoundedExecutor(int threads) {
            super(threads, Daemons.numbered("webproxy-auth"));
            setRemoveOnCancelPolicy(true);
        }

        private void checkRoom() {
            if (getQueue().size() >= MAX_WAITING) {
                throw new RejectedExecutionException(MAX_WAITING + " tasks wait already");
            }
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
            checkRoom();
            return super.schedule(task, delay, unit);
        }

        @Override
        public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
            checkRoom();
            return super.schedule(task, delay, unit);
        }

        @Override
        public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long delay, long period, TimeUnit unit) {
            checkRoom();
            return super.scheduleAtFixedRate(task, delay, period, unit);
        }

        @Override
        public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long delay, long period, TimeUnit unit) {
            checkRoom();
            return super.scheduleWithFixedDelay(task, delay, period, unit);
        }
    }
}
