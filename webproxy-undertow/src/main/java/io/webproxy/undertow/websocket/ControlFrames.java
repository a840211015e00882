package io.webproxy.undertow.websocket;

import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;

/** Control frames that the proxy sends itself (RFC 6455 section 5.5). */
public final class ControlFrames {
    static final int PONG = 0x8a;
    static final int TOKEN = 8;
    static final int MASKED = 0x80;

    private static final int CLOSE = 0x88;
    private static final int PING = 0x89;
    private static final int GOING_AWAY = 1001;

    private ControlFrames() {}

    /** A ping for a client; its pong has the same payload. */
    public static ByteBuffer ping(long token) {
        return ByteBuffer.allocate(2 + TOKEN)
                .put((byte) PING)
                .put((byte) TOKEN)
                .putLong(token)
                .flip();
    }

    /** A close frame with status 1001 for a client: an endpoint is going away (section 7.4.1). */
    public static ByteBuffer goingAwayToClient() {
        return ByteBuffer.allocate(4)
                .put((byte) CLOSE)
                .put((byte) 2)
                .putShort((short) GOING_AWAY)
                .flip();
    }

    /** The same for a server, which accepts masked frames only (section 5.3). */
    public static ByteBuffer goingAwayToServer() {
        int mask = ThreadLocalRandom.current().nextInt();
        return ByteBuffer.allocate(8)
                .put((byte) CLOSE)
                .put((byte) (MASKED | 2))
                .putInt(mask)
                .putShort((short) (GOING_AWAY ^ mask >>> 16))
                .flip();
    }
}
