package io.webproxy.undertow.sniff;

import java.nio.ByteBuffer;

/** The marks by which connections of tunnel agents are recognised. Pure. */
public final class TunnelMark {
    /** The application protocol of control channels (ALPN, RFC 7301). */
    public static final String PROTOCOL = "webproxy-tunnel/1";

    /** A data connection starts with it; no text starts with its first byte. */
    private static final byte[] DATA = {(byte) 0xe5, 'w', 'p', 't', '1'};

    private TunnelMark() {}

    /** The number of bytes of {@link #data}. */
    public static int length() {
        return DATA.length;
    }

    /** The first bytes of a data connection. */
    public static byte[] data() {
        return DATA.clone();
    }

    /** Whether the bytes between position and limit, up to the length of the mark, match it. */
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
