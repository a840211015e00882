package io.webproxy.undertow.tunnel;

import java.nio.ByteBuffer;

/** The first bytes of a data connection: the mark that tells it from other protocols, which connection it is, and the proof that it may be. Pure. */
final class DataHello {
    /** The first is no byte of any text, so that no other rule of a port takes it. */
    static final byte[] MARK = {(byte) 0xe5, 'w', 'p', 't', '1'};

    static final int LENGTH = MARK.length + Long.BYTES + Tokens.PROOF;

    /** The agent has reached the inner target; what follows is its. */
    static final byte ACKNOWLEDGED = 6;

    private DataHello() {}

    static ByteBuffer of(long id, byte[] proof) {
        return ByteBuffer.allocate(LENGTH).put(MARK).putLong(id).put(proof).flip();
    }

    /** Whether bytes may be the start of one: as many as there are fit. */
    static boolean mayBe(ByteBuffer bytes) {
        for (int i = 0; i < Math.min(MARK.length, bytes.remaining()); i++) {
            if (bytes.get(bytes.position() + i) != MARK[i]) {
                return false;
            }
        }
        return true;
    }
}
