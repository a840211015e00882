package io.webproxy.undertow.relay;

import io.webproxy.spi.AddressRange;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Loopback source addresses that stand for clients, so that a target on this machine can distinguish them: the
 * HMAC-SHA256 of the client's IPv4 address or IPv6 /64 network, under a key that is new at each start. So a client
 * can't choose an address that collides with another's, and a target's log doesn't reveal clients without the relay
 * log.
 *
 * <p>They are in 127.0.0.0/8 without 127.0.0.0/16, which programs on this machine use, and 127.255.0.0/16, which has
 * the broadcast address: 16.6 million addresses. Among 5,000 clients, two are likely to share one. Thread-safe.
 */
final class LoopbackSource {
    private static final String ALGORITHM = "HmacSHA256";
    private static final int KEY_BYTES = 32;
    private static final int NETWORKS = 254;
    private static final int HOSTS = 1 << 16;

    private final SecretKeySpec key;

    /** With a new key. */
    LoopbackSource() {
        this(newKey());
    }

    LoopbackSource(byte[] key) {
        this.key = new SecretKeySpec(key, ALGORITHM);
    }

    private static byte[] newKey() {
        byte[] key = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(key);
        return key;
    }

    /** The address that stands for a client; always the same one. */
    InetAddress of(InetAddress client) {
        byte[] hash;
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            hash = mac.doFinal(AddressRange.clientOf(client).toString().getBytes(StandardCharsets.US_ASCII));
        } catch (GeneralSecurityException e) {
            // every JVM has it
            throw new IllegalStateException(e);
        }
        int place = (int) Long.remainderUnsigned(ByteBuffer.wrap(hash).getLong(), (long) NETWORKS * HOSTS);
        byte[] address = {127, (byte) (1 + place / HOSTS), (byte) (place >> 8), (byte) place};
        try {
            return InetAddress.getByAddress(address);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
