package io.webproxy.undertow.auth;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A server as authenticators see it: its clock stands still, its executor waits to be told, its bcrypt knows a few. */
final class FakeServer implements AuthServices {
    final ManualExecutor executor = new ManualExecutor(this);
    final AtomicInteger hashed = new AtomicInteger();
    final Map<String, String> passwordOf = new HashMap<>();
    String lastHash = "";
    /** Who sends the users of all files. */
    @Nullable String sender;

    private long nanos = Long.MAX_VALUE - Duration.ofSeconds(3).toNanos();

    FakeServer knows(String hash, String password) {
        passwordOf.put(hash, password);
        return this;
    }

    void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Override
    public @Nullable String senderOf(Path file) {
        return sender;
    }

    @Override
    public ScheduledExecutorService executor() {
        return executor;
    }

    @Override
    public LongSupplier nanoClock() {
        return () -> nanos;
    }

    @Override
    public boolean verifyBcrypt(byte[] password, String hash) {
        hashed.incrementAndGet();
        lastHash = hash;
        return new String(password, StandardCharsets.UTF_8).equals(passwordOf.get(hash));
    }
}
