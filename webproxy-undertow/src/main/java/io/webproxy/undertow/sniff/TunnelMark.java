package io.webproxy.undertow.sniff;

import java.nio.ByteBuffer;

/** By what connections of tunnels' agents are told from others. Pure. */
public final class TunnelMark {
    /** The application protocol of control channels (ALPN, RFC 7301). */
    public static final String PROTOCOL = "webproxy-tunnel/1";

    /** A data connection starts with it; its first byte is none of any text. */
    private static final byte[] DATA = {(byte) 0xe5, 'w', 'p', 't', '1'};

    private TunnelMark() {}

    /** How many bytes {@link #data} has. */
    public static int length() {
        return DATA.length;
    }

    /** The first bytes of a data connection. */
    public static byte[] data() {
        return DATA.clone();
    }

    /**
     * Whether all the bytes between position and limit, up to the length of the mark, are those of a data connection.
     */
    public static boolean mayBeData(ByteBuffer bytes) {
        int length = Math.min(DATA.length, bytes.remaining());
        for (int i = 0; i < length; i++) {
            if (bytes.get(bytes.position() + i) != DATA[i]) {
                return false;
            }
        }
        return true;
    }
}
