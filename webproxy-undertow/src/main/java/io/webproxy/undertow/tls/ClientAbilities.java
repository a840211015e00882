package io.webproxy.undertow.tls;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which server keys a client can use, by what its ClientHello offers (RFC 8446 section 4.1.2, RFC 8422).
 *
 * <p>The JDK tells a key manager; Conscrypt doesn't, so for it the hello is read on its way in and kept for the thread
 * while the engine works on it.
 */
record ClientAbilities(boolean rsa, boolean ecdsa) {
    /** What the engine at work on this thread was sent; null where nothing is known. */
    static final ThreadLocal<@Nullable ClientAbilities> CURRENT = new ThreadLocal<>();

    private static final int RECORD_OF_HANDSHAKE = 22;
    private static final int CLIENT_HELLO = 1;
    private static final int RANDOM_BYTES = 32;
    private static final int SIGNATURE_ALGORITHMS = 13;
    private static final int SUPPORTED_VERSIONS = 43;
    private static final int TLS_1_3 = 0x0304;

    private static final Set<Integer> RSA_SUITES = Set.of(0xc02f, 0xc030, 0xcca8);
    private static final Set<Integer> ECDSA_SUITES = Set.of(0xc02b, 0xc02c, 0xcca9);
    private static final Set<Integer> RSA_SIGNATURES = Set.of(0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201);
    private static final Set<Integer> ECDSA_SIGNATURES = Set.of(0x0403, 0x0503, 0x0603, 0x0203);

    /** By the names of signature algorithms, such as {@code SHA256withECDSA}; all if there are none. */
    static ClientAbilities of(String[] signatures) {
        return new ClientAbilities(
                signatures.length == 0 || Arrays.stream(signatures).anyMatch(name -> name.contains("RSA")),
                signatures.length == 0 || Arrays.stream(signatures).anyMatch(name -> name.contains("ECDSA")));
    }

    /** By a TLS record that holds a whole ClientHello; null for anything else. Moves nothing. */
    static @Nullable ClientAbilities parse(ByteBuffer bytes) {
        try {
            ByteBuffer record = bytes.duplicate();
            if (record.get() != RECORD_OF_HANDSHAKE) {
                return null;
            }
            record.getShort();
            ByteBuffer handshake = vector(record, Short.toUnsignedInt(record.getShort()));
            if (handshake.get() != CLIENT_HELLO) {
                return null;
            }
            ByteBuffer hello = vector(handshake, handshake.get() << 16 | Short.toUnsignedInt(handshake.getShort()));
            hello.getShort();
            vector(hello, RANDOM_BYTES);
            vector(hello, Byte.toUnsignedInt(hello.get()));
            ByteBuffer suites = vector(hello, Short.toUnsignedInt(hello.getShort()));
            vector(hello, Byte.toUnsignedInt(hello.get()));
            return of(suites, hello.hasRemaining() ? vector(hello, Short.toUnsignedInt(hello.getShort())) : hello);
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            return null;
        }
    }

    private static ClientAbilities of(ByteBuffer suites, ByteBuffer extensions) {
        boolean rsa = true;
        boolean ecdsa = true;
        boolean tls13 = false;
        while (extensions.hasRemaining()) {
            int type = extensions.getShort();
            ByteBuffer extension = vector(extensions, Short.toUnsignedInt(extensions.getShort()));
            if (type == SIGNATURE_ALGORITHMS) {
                ByteBuffer list = vector(extension, Short.toUnsignedInt(extension.getShort()));
                rsa = hasAny(list, RSA_SIGNATURES);
                ecdsa = hasAny(list, ECDSA_SIGNATURES);
            } else if (type == SUPPORTED_VERSIONS) {
                tls13 = hasAny(vector(extension, Byte.toUnsignedInt(extension.get())), Set.of(TLS_1_3));
            }
        }
        return new ClientAbilities(
                rsa && (tls13 || hasAny(suites, RSA_SUITES)), ecdsa && (tls13 || hasAny(suites, ECDSA_SUITES)));
    }

    private static ByteBuffer vector(ByteBuffer from, int length) {
        ByteBuffer vector = from.slice(from.position(), length);
        from.position(from.position() + length);
        return vector;
    }

    private static boolean hasAny(ByteBuffer numbers, Set<Integer> wanted) {
        ByteBuffer each = numbers.duplicate();
        while (each.remaining() > 1) {
            if (wanted.contains(Short.toUnsignedInt(each.getShort()))) {
                return true;
            }
        }
        return false;
    }

    /** Whether a key of this type, as key managers are asked for it, is of use. */
    boolean canUse(String keyType) {
        return switch (keyType) {
            case "RSA", "RSASSA-PSS" -> rsa;
            case "EC" -> ecdsa;
            default -> true;
        };
    }
}
