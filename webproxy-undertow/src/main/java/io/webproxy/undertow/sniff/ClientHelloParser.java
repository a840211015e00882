package io.webproxy.undertow.sniff;

import io.webproxy.undertow.sniff.Peeked.Malformed;
import io.webproxy.undertow.sniff.Peeked.More;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Parses the ClientHello at the start of a connection, across the records that it spans (RFC 8446 section 5.1).
 *
 * <p>Pure, bounded and total: input may be split anywhere, and bad input is an answer, not an exception. One parser
 * serves one connection. Not thread-safe.
 */
public final class ClientHelloParser {
    /**
     * The longest ClientHello that is accepted. Those of browsers, with a post-quantum key share, have less than 2 KiB;
     * the rest is for session tickets and future extensions, and limits what a client can make the server hold.
     */
    public static final int MAX_HELLO = 16 * 1024;

    /**
     * The most bytes of a ClientHello with its record headers: it may be fragmented, but not into any number of tiny
     * records.
     */
    public static final int MAX_BYTES = 2 * MAX_HELLO;

    private static final int USUAL_BYTES = 512;
    private static final int RECORD_HEADER = 5;
    private static final int MESSAGE_HEADER = 4;
    private static final int MAX_RECORD = 1 << 14;
    private static final int HANDSHAKE = 22;
    private static final int MAJOR_VERSION = 3;
    private static final int CLIENT_HELLO = 1;

    private final byte[] header = new byte[RECORD_HEADER];
    private int headerLength;
    private int recordLeft;
    private byte[] message = new byte[0];
    private int messageLength;
    private int total;
    private Peeked answer = More.MORE;

    /**
     * Consumes bytes up to the end of the ClientHello; what follows stays in the buffer.
     *
     * @return the result; once it isn't {@link More} it doesn't change
     */
    public Peeked feed(ByteBuffer bytes) {
        while (answer == More.MORE && bytes.hasRemaining()) {
            if (total == MAX_BYTES) {
                answer = new Malformed(Alerts.ILLEGAL_PARAMETER, "a ClientHello in too many records");
            } else if (recordLeft == 0) {
                total++;
                header(bytes.get());
            } else {
                fragment(bytes);
            }
        }
        return answer;
    }

    private void header(byte b) {
        header[headerLength++] = b;
        if (headerLength == 1 && b != HANDSHAKE) {
            answer = new Malformed(Alerts.UNEXPECTED_MESSAGE, "another record in place of the handshake's");
        } else if (headerLength == 2 && b != MAJOR_VERSION) {
            answer = new Malformed(Alerts.PROTOCOL_VERSION, "a record of an unknown version");
        } else if (headerLength == RECORD_HEADER) {
            headerLength = 0;
            recordLeft = (header[3] & 0xff) << 8 | (header[4] & 0xff);
            if (recordLeft == 0) {
                answer = new Malformed(Alerts.UNEXPECTED_MESSAGE, "an empty handshake record");
            } else if (recordLeft > MAX_RECORD) {
                answer = new Malformed(Alerts.RECORD_OVERFLOW, "a record above " + MAX_RECORD + " bytes");
            }
        }
    }

    private void fragment(ByteBuffer bytes) {
        int wanted = messageLength < MESSAGE_HEADER ? MESSAGE_HEADER : MESSAGE_HEADER + bodyLength();
        int count =
                Math.min(Math.min(wanted - messageLength, recordLeft), Math.min(bytes.remaining(), MAX_BYTES - total));
        if (messageLength + count > message.length) {
            // memory is allocated for received bytes only, not for announced ones
            message =
                    Arrays.copyOf(message, Math.max(Math.max(USUAL_BYTES, 2 * message.length), messageLength + count));
        }
        bytes.get(message, messageLength, count);
        messageLength += count;
        recordLeft -= count;
        total += count;
        if (message[0] != CLIENT_HELLO) {
            answer = new Malformed(Alerts.UNEXPECTED_MESSAGE, "another message in place of the ClientHello");
        } else if (messageLength >= MESSAGE_HEADER && bodyLength() > MAX_HELLO) {
            answer = new Malformed(Alerts.ILLEGAL_PARAMETER, "a ClientHello above " + MAX_HELLO + " bytes");
        } else if (messageLength >= MESSAGE_HEADER && messageLength == MESSAGE_HEADER + bodyLength()) {
            answer = new HelloBody(message, MESSAGE_HEADER, messageLength).read();
        }
    }

    private int bodyLength() {
        return (message[1] & 0xff) << 16 | (message[2] & 0xff) << 8 | (message[3] & 0xff);
    }
}
