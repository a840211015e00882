package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.sniff.TunnelMark;
import java.nio.ByteBuffer;

/**
 * The first bytes of a data connection: the mark that tells it from other protocols, which connection it is, and the
 * proof that it may be. Pure.
 */
final class DataHello {
    static final int LENGTH = TunnelMark.length() + Long.BYTES + Tokens.PROOF;

    /** The agent has reached the inner target; what follows is its. */
    static final byte ACKNOWLEDGED = 6;

    private DataHello() {}

    static ByteBuffer of(long id, byte[] proof) {
        return ByteBuffer.allocate(LENGTH)
                .put(TunnelMark.data())
                .putLong(id)
                .put(proof)
                .flip();
    }
}
