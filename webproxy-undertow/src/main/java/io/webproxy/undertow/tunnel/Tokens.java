package io.webproxy.undertow.tunnel;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The tokens by which data connections prove that they were requested: each is random, and valid for one connection and
 * for 10 s.
 *
 * <p>A token is sent to the agent over its control channel only; a data connection presents an HMAC under it, bound to
 * the agent and its instance. This class keeps only a hash of the expected HMAC, which is useless to an attacker. A
 * wrong proof doesn't use up a token, and of several right ones at once exactly one wins. Thread-safe.
 *
 * @param <T> what a token is for
 */
final class Tokens<T> {
    /** The length of a proof in bytes. */
    static final int PROOF = 32;

    static final long LIMIT_NANOS = 10_000_000_000L;

    private static final byte[] LABEL = "webproxy-tunnel/1 data".getBytes(StandardCharsets.US_ASCII);
    private static final ThreadLocal<Mac> MAC = ThreadLocal.withInitial(Tokens::mac);
    private static final ThreadLocal<MessageDigest> DIGEST = ThreadLocal.withInitial(Tokens::digest);

    private final Map<Long, Expected<T>> all = new ConcurrentHashMap<>();
    private final SecureRandom random = new SecureRandom();
    private final LongSupplier nanoClock;

    /**
     * A token for the agent.
     *
     * @param token 32 random bytes
     */
    @SuppressWarnings("ArrayRecordComponent") // sent once, never compared
    record Token(long id, byte[] token) {}

    @SuppressWarnings("ArrayRecordComponent") // compared by MessageDigest alone
    private record Expected<T>(byte[] hash, long until, T claim) {}

    Tokens(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    /**
     * A new token for an agent.
     *
     * @param fingerprint the agent's
     */
    Token issue(String fingerprint, UUID instance, T claim) {
        byte[] bytes = new byte[Frames.TOKEN + Long.BYTES];
        random.nextBytes(bytes);
        long id = ByteBuffer.wrap(bytes).getLong(Frames.TOKEN);
        byte[] token = Arrays.copyOf(bytes, Frames.TOKEN);
        byte[] hash = DIGEST.get().digest(proof(token, id, fingerprint, instance));
        all.put(id, new Expected<>(hash, nanoClock.getAsLong() + LIMIT_NANOS, claim));
        return new Token(id, token);
    }

    /** Redeems the token that a proof belongs to; null if there is none, or it has expired. */
    @Nullable T redeem(long id, byte[] proof) {
        Expected<T> expected = all.get(id);
        if (expected == null
                || !MessageDigest.isEqual(expected.hash, DIGEST.get().digest(proof))) {
            return null;
        }
        // by identity: of several at once only one removes it
        return all.remove(id, expected) && nanoClock.getAsLong() - expected.until < 0 ? expected.claim : null;
    }

    /** Invalidates a token. */
    void drop(long id) {
        all.remove(id);
    }

    /** Number of valid tokens. */
    int count() {
        return all.size();
    }

    /** Proves possession of a token without revealing it (RFC 2104). */
    static byte[] proof(byte[] token, long id, String fingerprint, UUID instance) {
        Mac mac = MAC.get();
        try {
            mac.init(new SecretKeySpec(token, "HmacSHA256"));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has HMAC-SHA256", e);
        }
        mac.update(LABEL);
        mac.update(ByteBuffer.allocate(3 * Long.BYTES)
                .putLong(id)
                .putLong(instance.getMostSignificantBits())
                .putLong(instance.getLeastSignificantBits())
                .flip());
        return mac.doFinal(fingerprint.getBytes(StandardCharsets.US_ASCII));
    }

    private static Mac mac() {
        try {
            return Mac.getInstance("HmacSHA256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has HMAC-SHA256", e);
        }
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
