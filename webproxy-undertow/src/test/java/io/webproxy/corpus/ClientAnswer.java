package io.webproxy.corpus;

import io.webproxy.testing.RawConnection;
import java.io.IOException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An answer as the client sees it.
 *
 * @param head up to and with the empty line
 * @param trailers their lines
 * @param whole whether it came to its end
 */
public record ClientAnswer(int status, String head, String body, String trailers, boolean whole) {
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([1-9][0-9][0-9]) [^\r\n]*\r\n(?s:.*)");
    private static final Pattern LENGTH = Pattern.compile("\r\ncontent-length: ([0-9]+)\r\n");

    /**
     * Reads the next answer.
     *
     * @param toHead whether the request's method was HEAD
     * @return null if the connection ends without one
     */
    public static @Nullable ClientAnswer read(RawConnection connection, boolean toHead) throws IOException {
        String head;
        try {
            head = connection.readHead();
        } catch (IOException e) {
            if (isTimeout(e)) {
                throw e;
            }
            return null;
        }
        if (head.isEmpty()) {
            return null;
        }
        Matcher line = STATUS.matcher(head);
        if (!line.matches()) {
            throw new IOException("the proxy sent what is no answer: " + head);
        }
        int status = Integer.parseInt(line.group(1));
        if (toHead || status < 200 || status == 204 || status == 304) {
            return new ClientAnswer(status, head, "", "", true);
        }
        String lower = head.toLowerCase(Locale.ROOT);
        if (lower.contains("\r\ntransfer-encoding: chunked\r\n")) {
            return chunked(connection, status, head);
        }
        Matcher length = LENGTH.matcher(lower);
        StringBuilder body = new StringBuilder();
        boolean bounded = length.find();
        boolean whole = bounded ? piece(connection, Integer.parseInt(length.group(1)), body) : rest(connection, body);
        return new ClientAnswer(status, head, body.toString(), "", whole);
    }

    private static ClientAnswer chunked(RawConnection connection, int status, String head) throws IOException {
        StringBuilder body = new StringBuilder();
        StringBuilder trailers = new StringBuilder();
        boolean whole = false;
        try {
            String size = connection.readLine();
            while (size.endsWith("\r\n") && !size.equals("0\r\n")) {
                StringBuilder end = new StringBuilder();
                if (!piece(connection, Integer.parseInt(size.strip(), 16), body) || !piece(connection, 2, end)) {
                    break;
                }
                size = connection.readLine();
            }
            if (size.equals("0\r\n")) {
                String trailer = connection.readLine();
                while (trailer.length() > 2) {
                    trailers.append(trailer);
                    trailer = connection.readLine();
                }
                whole = trailer.equals("\r\n");
            }
        } catch (IOException e) {
            if (isTimeout(e)) {
                throw e;
            }
        }
        return new ClientAnswer(status, head, body.toString(), trailers.toString(), whole);
    }

    private static boolean piece(RawConnection connection, int length, StringBuilder into) throws IOException {
        try {
            for (int i = 0; i < length; i++) {
                int b = connection.readByte();
                if (b < 0) {
                    return false;
                }
                into.append((char) b);
            }
            return true;
        } catch (IOException e) {
            if (isTimeout(e)) {
                throw e;
            }
            return false;
        }
    }

    private static boolean rest(RawConnection connection, StringBuilder into) throws IOException {
        try {
            for (int b = connection.readByte(); b >= 0; b = connection.readByte()) {
                into.append((char) b);
            }
            return true;
        } catch (IOException e) {
            if (isTimeout(e)) {
                throw e;
            }
            return false;
        }
    }

    /** Whether the peer was silent for too long. */
    public static boolean isTimeout(IOException e) {
        return e instanceof java.net.SocketTimeoutException;
    }
}
