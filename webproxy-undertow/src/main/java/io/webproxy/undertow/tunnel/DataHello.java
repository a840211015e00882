package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.sniff.TunnelMark;
import java.nio.ByteBuffer;

/**
 * The first bytes of a data connection: the mark that distinguishes it from other protocols, its id, and the proof that
 * it was requested. Pure.
 */
final class DataHello {
    static final int LENGTH = TunnelMark.length() + Long.BYTES + Tokens.PROOF;

    /** The agent has connected to the inner target, whose bytes follow. */
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
