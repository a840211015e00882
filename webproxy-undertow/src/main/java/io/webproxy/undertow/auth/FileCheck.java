package io.webproxy.undertow.auth;

import io.webproxy.auth.AuthDecision;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.CredentialHash;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks credentials against an htpasswd file. It hashes on the executor of a server that uses it; with several, of the
 * running one that started last.
 */
final class FileCheck implements CredentialCheck {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.auth");

    private static final long POLL_SECONDS = 1;

    /** bcrypt compares only the first bytes of a longer password, so every password with the same start would pass. */
    private static final int MAX_PASSWORD_BYTES = 72;

    private static final long GIVE_UP = TimeUnit.SECONDS.toNanos(30);
    private static final AuthDecision BUSY = AuthDecision.denied(503).withHeader("Retry-After", "1");

    /** The outcome of a verification; BUSY: it wasn't done. */
    private enum Outcome {
        RIGHT,
        WRONG,
        BUSY
    }

    /** A running verification; requests with the same credentials wait for it. */
    private record Verification(CompletableFuture<Outcome> outcome, long since) {}

    private final WatchedPasswordFile file;
    private final CredentialHash hash = new CredentialHash();
    private final FailureThrottle throttle = new FailureThrottle();
    private final VerifiedCredentials verified = new VerifiedCredentials();
    private final Map<ByteBuffer, Verification> running = new ConcurrentHashMap<>();
    private final List<AuthServices> contexts = new CopyOnWriteArrayList<>();
    private final AtomicBoolean saidLength = new AtomicBoolean();
    private final List<Future<?>> polls = new ArrayList<>();
    private int users;
    private volatile @Nullable AuthServices clock;

    FileCheck(Path file) {
        this.file = new WatchedPasswordFile(file, this::sender);
    }

    @Override
    public synchronized void start(AuthServices context) {
        // those of servers that have closed, while others go on with this object
        contexts.removeIf(ended -> ended.executor().isShutdown());
        polls.removeIf(Future::isDone);
        contexts.add(0, context);
        try {
            swap(file.read());
        } catch (RuntimeException e) {
            contexts.remove(context);
            throw e;
        }
        polls.add(context.executor()
                .scheduleWithFixedDelay(this::pollGuarded, POLL_SECONDS, POLL_SECONDS, TimeUnit.SECONDS));
        clock = context;
        users++;
    }

    /** Who sends the file's users to upstreams, on any of the servers; null if none does. */
    private @Nullable String sender() {
        return contexts.stream()
                .filter(context -> !context.executor().isShutdown())
                .map(context -> context.senderOf(file.file()))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /** Polls the file; a repeating task that throws would never run again. */
    private void pollGuarded() {
        try {
            poll();
        } catch (Throwable e) {
            LOG.warn("Can't check {} for changes; trying again later", file.file(), e);
        }
    }

    /**
     * Any server may stop: waiting requests are answered with a request to try again, and a server whose executor has
     * ended is skipped.
     */
    @Override
    public void stop() {
        synchronized (this) {
            if (users > 0 && --users == 0) {
                polls.forEach(poll -> poll.cancel(false));
                polls.clear();
                contexts.clear();
                verified.clear(null);
            }
        }
        running.forEach(this::giveUp);
    }

    private void poll() {
        AuthServices context = clock;
        if (context != null) {
            long now = context.nanoClock().getAsLong();
            running.forEach((credentials, verification) -> {
                // its executor has ended, or is overloaded
                if (now - verification.since() > GIVE_UP) {
                    giveUp(credentials, verification);
                }
            });
        }
        PasswordFile changed = file.poll();
        if (changed != null) {
            swap(changed);
        }
    }

    private void swap(PasswordFile next) {
        if (verified.clear(next)) {
            // later requests don't wait for what the old file says
            running.clear();
        }
    }

    private void giveUp(ByteBuffer credentials, Verification verification) {
        running.remove(credentials, verification);
        verification.outcome().complete(Outcome.BUSY);
    }

    @Override
    public CompletionStage<AuthDecision> check(Credentials credentials, InetAddress address, AuthDecision challenge) {
        AuthServices context = clock;
        if (context == null) {
            throw new IllegalStateException("the authenticator hasn't started");
        }
        long now = context.nanoClock().getAsLong();
        Object client = AddressRange.clientOf(address);
        ByteBuffer given = hash.of(credentials.userAndPassword());
        AuthDecision granted = AuthDecision.granted(credentials.user());
        boolean known = verified.contains(given, now);
        if (known && throttle.hasPassed(client, given)) {
            return CompletableFuture.completedFuture(granted);
        }
        Verification before = running.get(given);
        if (before != null) {
            return before.outcome().thenApply(outcome -> decide(outcome, false, client, given, granted, challenge));
        }
        long wait = throttle.take(client, now);
        if (wait > 0) {
            return CompletableFuture.completedFuture(CredentialCheck.tooMany(wait));
        }
        CompletableFuture<Outcome> outcome =
                known ? CompletableFuture.completedFuture(Outcome.RIGHT) : verify(credentials, given, now);
        return outcome.thenApply(made -> decide(made, true, client, given, granted, challenge));
    }

    private AuthDecision decide(
            Outcome outcome,
            boolean tokenTaken,
            Object client,
            ByteBuffer given,
            AuthDecision granted,
            AuthDecision challenge) {
        if (tokenTaken && outcome != Outcome.WRONG) {
            throttle.giveBack(client);
        }
        return switch (outcome) {
            case RIGHT -> {
                throttle.passed(client, given);
                yield granted;
            }
            case WRONG -> challenge;
            case BUSY -> BUSY;
        };
    }

    private CompletableFuture<Outcome> verify(Credentials credentials, ByteBuffer given, long now) {
        PasswordFile against = verified.users();
        if (against == null) {
            return CompletableFuture.completedFuture(Outcome.BUSY);
        }
        Verification mine = new Verification(new CompletableFuture<>(), now);
        Verification other = running.putIfAbsent(given, mine);
        if (other != null) {
            return other.outcome();
        }
        String user = credentials.user();
        byte[] password = credentials.password();
        if (password.length > MAX_PASSWORD_BYTES) {
            Arrays.fill(password, (byte) 0);
            running.remove(given, mine);
            mine.outcome().complete(Outcome.WRONG);
            warnOfLength();
            return mine.outcome();
        }
        if (!execute(context -> hash(context, against, user, password, given, mine))) {
            Arrays.fill(password, (byte) 0);
            running.remove(given, mine);
            mine.outcome().complete(Outcome.BUSY);
        }
        return mine.outcome();
    }

    private void warnOfLength() {
        if (saidLength.compareAndSet(false, true)) {
            LOG.warn(
                    "htpasswd: {}: passwords above {} bytes are refused, because bcrypt ignores the rest (expected: a"
                            + " shorter one, set by htpasswd -B); this is logged once",
                    file.file(),
                    MAX_PASSWORD_BYTES);
        }
    }

    private void hash(
            AuthServices context,
            PasswordFile against,
            String user,
            byte[] password,
            ByteBuffer given,
            Verification mine) {
        try {
            String expected = against.hashOf(user);
            boolean right = context.verifyBcrypt(password, expected == null ? against.hashOfNobody() : expected)
                    && expected != null;
            if (right) {
                verified.add(given, against, context.nanoClock().getAsLong());
            }
            running.remove(given, mine);
            mine.outcome().complete(right ? Outcome.RIGHT : Outcome.WRONG);
        } catch (Throwable e) {
            running.remove(given, mine);
            mine.outcome().completeExceptionally(e);
        } finally {
            Arrays.fill(password, (byte) 0);
        }
    }

    /** Whether an executor took the task. */
    private boolean execute(Consumer<AuthServices> task) {
        for (AuthServices context : contexts) {
            try {
                context.executor().execute(() -> task.accept(context));
                return true;
            } catch (RejectedExecutionException e) {
                if (!context.executor().isShutdown()) {
                    return false;
                }
            }
        }
        return false;
    }
}
