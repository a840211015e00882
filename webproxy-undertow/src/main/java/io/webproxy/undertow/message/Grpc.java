package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The header fields of gRPC: calls, their timeouts and status ({@code PROTOCOL-HTTP2.md} of the gRPC project). Pure.
 */
public final class Grpc {
    /** The media type of calls, and of our own answers to them. */
    public static final String TYPE = "application/grpc";

    /** The status of a call, as a number: 0 for success. */
    public static final HttpString STATUS = new HttpString("grpc-status");
    /** The reason of a status, percent-encoded. */
    public static final HttpString MESSAGE = new HttpString("grpc-message");
    /** The client's timeout of the call. */
    public static final HttpString TIMEOUT = new HttpString("grpc-timeout");

    public static final int CANCELLED = 1;
    public static final int UNKNOWN = 2;
    public static final int DEADLINE_EXCEEDED = 4;
    public static final int PERMISSION_DENIED = 7;
    public static final int RESOURCE_EXHAUSTED = 8;
    public static final int UNIMPLEMENTED = 12;
    public static final int INTERNAL = 13;
    public static final int UNAVAILABLE = 14;
    public static final int UNAUTHENTICATED = 16;
    private static final int DATA_LOSS = 15;
    /** The highest status. */
    private static final int LAST = UNAUTHENTICATED;

    /** The maximum number of digits of a timeout. */
    private static final int DIGITS = 8;

    private static final long MOST = 99_999_999;

    private Grpc() {}

    /** Whether a media type is that of gRPC calls, with any message encoding; gRPC-Web has others. */
    public static boolean isCall(@Nullable String contentType) {
        if (contentType == null || !contentType.regionMatches(true, 0, TYPE, 0, TYPE.length())) {
            return false;
        }
        char next = contentType.length() == TYPE.length() ? ';' : contentType.charAt(TYPE.length());
        return next == ';' || next == '+' || next == ' ' || next == '\t';
    }

    /**
     * The nanoseconds of a timeout, such as {@code 100m}; -1 for none, or for a malformed one, which is left to the
     * upstream.
     */
    public static long timeout(@Nullable String value) {
        int digits = value == null ? 0 : value.length() - 1;
        if (value == null || digits < 1 || digits > DIGITS) {
            return -1;
        }
        long number = 0;
        for (int i = 0; i < digits; i++) {
            char c = value.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            number = number * 10 + (c - '0');
        }
        TimeUnit unit = switch (value.charAt(digits)) {
            case 'H' -> TimeUnit.HOURS;
            case 'M' -> TimeUnit.MINUTES;
            case 'S' -> TimeUnit.SECONDS;
            case 'm' -> TimeUnit.MILLISECONDS;
            case 'u' -> TimeUnit.MICROSECONDS;
            case 'n' -> TimeUnit.NANOSECONDS;
            default -> null;
        };
        return unit == null ? -1 : unit.toNanos(number);
    }

    /** Formats a timeout, rounded down to what eight digits can express, though never to zero. */
    public static String timeout(long nanos) {
        if (nanos <= MOST) {
            return Math.max(1, nanos) + "n";
        }
        if (nanos / 1_000 <= MOST) {
            return nanos / 1_000 + "u";
        }
        long millis = nanos / 1_000_000;
        return millis <= MOST ? millis + "m" : Math.min(millis / 1_000, MOST) + "S";
    }

    /** The status in a field, or -1 if it has none. */
    public static int status(@Nullable String value) {
        if (value == null || value.isEmpty() || value.length() > 2) {
            return -1;
        }
        int status = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            status = status * 10 + (c - '0');
        }
        return status <= LAST ? status : UNKNOWN;
    }

    /** The gRPC status for an HTTP status of this server's own. */
    public static int statusOf(int http) {
        return switch (http) {
            case 400, 500, 508 -> INTERNAL;
            case 401 -> UNAUTHENTICATED;
            case 403 -> PERMISSION_DENIED;
            case 404, 405, 501 -> UNIMPLEMENTED;
            case 408, 504 -> DEADLINE_EXCEEDED;
            case 413, 414, 429, 431 -> RESOURCE_EXHAUSTED;
            case 421, 502, 503 -> UNAVAILABLE;
            // as gRPC clients treat statuses that they don't know
            default -> UNKNOWN;
        };
    }

    /**
     * Whether a status means that the service failed, as 5xx does; a deadline is the client's, and may be too short.
     */
    public static boolean isFailure(int status) {
        return status == UNKNOWN || status == INTERNAL || status == UNAVAILABLE || status == DATA_LOSS;
    }

    /** The gRPC status for an upstream's reset with this code (RFC 9113 section 7). */
    public static int statusOfReset(long code) {
        return switch ((int) code) {
            case 0x7 -> UNAVAILABLE;
            case 0x8 -> CANCELLED;
            case 0xb -> RESOURCE_EXHAUSTED;
            case 0xc -> PERMISSION_DENIED;
            default -> INTERNAL;
        };
    }

    /** Sets the fields that end a call: its status and the reason, any text. */
    public static void end(HeaderMap fields, int status, String why) {
        fields.put(STATUS, Integer.toString(status));
        fields.put(MESSAGE, encoded(why));
    }

    /** Encodes a message for its field: UTF-8, percent-encoded but for printable ASCII other than the percent sign. */
    static String encoded(String message) {
        StringBuilder encoded = new StringBuilder(message.length());
        for (byte b : message.getBytes(StandardCharsets.UTF_8)) {
            if (b >= ' ' && b <= '~' && b != '%') {
                encoded.append((char) b);
            } else {
                encoded.append(String.format(Locale.ROOT, "%%%02X", b & 0xff));
            }
        }
        return encoded.toString();
    }
}
