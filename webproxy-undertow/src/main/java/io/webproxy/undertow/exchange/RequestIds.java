package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * Request ids ({@code X-Request-Id}): a trusted proxy's id, else 128 random bits in hexadecimal.
 *
 * <p>An id distinguishes requests and isn't a secret: each thread draws ids from a generator (xoroshiro128++, Blackman
 * and Vigna) that is seeded once from the system. Thread-safe, never blocks.
 */
public final class RequestIds {
    /** The field's name. */
    public static final HttpString FIELD = new HttpString("X-Request-Id");

    private static final int LONGEST = 128;
    private static final HexFormat HEX = HexFormat.of();
    private static final ThreadLocal<RequestIds> OF_THREAD = ThreadLocal.withInitial(RequestIds::new);

    private long s0;
    private long s1;

    private RequestIds() {
        ByteBuffer seed = ByteBuffer.allocate(2 * Long.BYTES);
        new SecureRandom().nextBytes(seed.array());
        s0 = seed.getLong();
        // a state of all zeros would stay zero
        s1 = seed.getLong() | 1;
    }

    /** The id of a request. */
    public static String of(HeaderMap fields, boolean trusted) {
        HeaderValues given = trusted ? fields.get(FIELD) : null;
        return given != null && given.size() == 1 && isSane(given.getFirst())
                ? given.getFirst()
                : OF_THREAD.get().next();
    }

    /**
     * Whether an id can be put into a field, a log and a page unchanged: 1 to 128 letters, digits and
     * {@code -._~+/=:@}.
     */
    static boolean isSane(String id) {
        for (int i = 0; i < id.length(); i++) {
            char c = id.charAt(i);
            boolean plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!plain && "-._~+/=:@".indexOf(c) < 0) {
                return false;
            }
        }
        return !id.isEmpty() && id.length() <= LONGEST;
    }

    private String next() {
        return HEX.toHexDigits(draw()) + HEX.toHexDigits(draw());
    }

    private long draw() {
        long a = s0;
        long b = s1;
        long drawn = Long.rotateLeft(a + b, 17) + a;
        b ^= a;
        s0 = Long.rotateLeft(a, 49) ^ b ^ b << 21;
        s1 = Long.rotateLeft(b, 28);
        return drawn;
    }
}
