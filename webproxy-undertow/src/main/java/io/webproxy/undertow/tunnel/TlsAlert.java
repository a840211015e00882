package io.webproxy.undertow.tunnel;

import java.nio.ByteBuffer;

/**
 * Builds fatal alerts in cleartext records (RFC 8446 sections 5.1 and 6), for clients that are refused before TLS
 * starts.
 */
final class TlsAlert {
    static final int UNRECOGNIZED_NAME = 112;

    private TlsAlert() {}

    static ByteBuffer of(int code) {
        return ByteBuffer.wrap(new byte[] {21, 3, 3, 0, 2, 2, (byte) code});
    }
}
