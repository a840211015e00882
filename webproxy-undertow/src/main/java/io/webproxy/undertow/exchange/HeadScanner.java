package io.webproxy.undertow.exchange;

import io.webproxy.undertow.message.Authority;
import io.webproxy.undertow.message.FieldParser;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Follows the bytes of an HTTP/1.1 request head for what Undertow's parser doesn't tell: where the head starts and ends, how large it is, its major
 * version, and folded lines.
 *
 * <p>Pure and total: input may be split anywhere, and bad input is an answer, not an exception. A major version other than 1 is made HTTP/1.1 in place, so
 * that the parser lets the request through to where it can be refused properly. Not thread-safe.
 */
final class HeadScanner {
    private static final int MAJOR = "HTTP/".length();
    private static final int MINOR = "HTTP/1.".length();
    private static final int LEAST_LINE = 128;
    private static final int MOST_LINE = 4096;
    /** What Undertow's parser takes of a method, and what is taken here. */
    private static final int PARSED_METHOD = 32;

    private static final int MOST_METHOD = 64;

    private static final String HOST = "host";
    /** More than any authority that is valid needs. */
    private static final int MOST_HOST = 512;

    private enum State {
        START,
        EMPTY_LINE,
        METHOD,
        TARGET,
        VERSION,
        LINE,
        NEXT_LINE,
        HOST_NAME,
        HOST_VALUE,
        END,
        COMPLETE
    }

    private State state = State.START;
    private boolean begun;
    private boolean emptyLineSeen;
    private int version;
    private boolean otherMajor;
    private int bytes;
    private int lines;
    private int targetBytes;
    /** Method, space and target, as far as they are kept. */
    private byte @Nullable [] line;

    private int kept;
    private boolean methodCut;
    private boolean minorZero;
    private int matched;
    private int hosts;
    private final StringBuilder host = new StringBuilder();
    private boolean surplus;
    private @Nullable HeadProblem problem;

    /** The next byte is the first of another head. */
    void reset() {
        state = State.START;
        begun = false;
        emptyLineSeen = false;
        bytes = 0;
        lines = 0;
        targetBytes = 0;
        kept = 0;
        methodCut = false;
        minorZero = false;
        hosts = 0;
        host.setLength(0);
        surplus = false;
        problem = null;
    }

    /** The method, if the parser doesn't see all of it; else null. */
    @Nullable String longMethod() {
        return methodCut ? method() : null;
    }

    /** Method and target aren't asked for any more. */
    void forgetLine() {
        line = null;
        kept = 0;
    }

    /** The method, or as much of it as has come; may be empty. */
    String method() {
        String all = line();
        int space = all.indexOf(' ');
        return space < 0 ? all : all.substring(0, space);
    }

    /** The first 4 KiB of the request target, or as much of it as has come; may be empty. */
    String target() {
        String all = line();
        int space = all.indexOf(' ');
        return space < 0 ? "" : all.substring(space + 1);
    }

    private String line() {
        return line == null ? "" : new String(line, 0, kept, StandardCharsets.ISO_8859_1);
    }

    private void keep(byte b) {
        byte[] into = line == null ? new byte[LEAST_LINE] : line;
        if (kept == into.length && kept < MOST_LINE) {
            into = Arrays.copyOf(into, 2 * kept);
        }
        if (kept < into.length) {
            into[kept++] = b;
        }
        line = into;
    }

    /** How long the request target is so far. */
    int targetBytes() {
        return targetBytes;
    }

    /** Whether a byte of it has come. */
    boolean hasBegun() {
        return begun;
    }

    /** Whether all of it has come. */
    boolean isComplete() {
        return state == State.COMPLETE;
    }

    /** Whether the request line isn't complete. */
    boolean isInRequestLine() {
        return state.ordinal() <= State.VERSION.ordinal();
    }

    /** How many bytes it has so far. */
    int bytes() {
        return bytes;
    }

    /** How many complete field lines it has so far. */
    int fields() {
        return Math.max(0, isComplete() ? lines - 2 : lines - 1);
    }

    /** Whether bytes have come along with the end of the head that aren't part of it. */
    boolean hasSurplus() {
        return surplus;
    }

    /**
     * Whether a head that is complete has a host as it must (RFC 9112 section 3.2); also where it is too long to be kept. Only before {@link #forgetLine()}.
     */
    boolean hasHost() {
        if (hosts == 0 || host.length() == MOST_HOST) {
            return hosts == 1 || minorZero;
        }
        String value = host.toString().strip();
        String target = target();
        int scheme = target.startsWith("/") ? -1 : target.indexOf("://");
        return hosts == 1
                && Authority.isValid(value)
                && (scheme < 0 || Authority.of(target).equalsIgnoreCase(value));
    }

    /** The first problem, or null. */
    @Nullable HeadProblem problem() {
        return problem;
    }

    /**
     * Takes the bytes between {@code from} and {@code to}, up to the end of the head.
     *
     * @return how many at the start are to be left out: an empty line in front of the request line (RFC 9112 section 2.2), and what the parser doesn't take of a
     *     long method
     */
    int scan(ByteBuffer in, int from, int to) {
        begun |= from < to;
        int at = from;
        while (at < to && (state == State.START || state == State.EMPTY_LINE)) {
            if (!isEmptyLine(in.get(at))) {
                break;
            }
            at++;
        }
        int leading = at - from;
        for (; at < to && state != State.COMPLETE; at++) {
            if (state == State.LINE) {
                int end = endOfLine(in, at, to);
                bytes += end - at;
                at = end;
                if (at == to) {
                    break;
                }
            }
            bytes++;
            boolean inMethod = state == State.METHOD;
            take(in, at);
            if (inMethod) {
                leading += cutMethod();
            }
        }
        surplus = at < to;
        return leading;
    }

    /** Whether a letter of the method is one too many for the parser: 1 or 0. What the parser doesn't see is looked at here. */
    private int cutMethod() {
        if (state == State.METHOD) {
            return kept > PARSED_METHOD ? 1 : 0;
        }
        // the space after it is kept too
        int length = kept - 1;
        if (state == State.TARGET && length > PARSED_METHOD) {
            methodCut = FieldParser.isToken(method());
            if (!methodCut || length > MOST_METHOD) {
                found(HeadProblem.MALFORMED);
            }
        }
        return 0;
    }

    private boolean isEmptyLine(byte b) {
        if (state == State.EMPTY_LINE) {
            if (b != '\n') {
                problem = HeadProblem.MALFORMED;
                state = State.METHOD;
                return false;
            }
            state = State.START;
            return true;
        }
        if (b == '\r' && !emptyLineSeen) {
            emptyLineSeen = true;
            state = State.EMPTY_LINE;
            return true;
        }
        state = State.METHOD;
        return false;
    }

    private static int endOfLine(ByteBuffer in, int from, int to) {
        int at = from;
        while (at < to && in.get(at) != '\n') {
            at++;
        }
        return at;
    }

    private void take(ByteBuffer in, int at) {
        byte b = in.get(at);
        if (b == '\n') {
            lines++;
            state = state == State.END ? State.COMPLETE : State.NEXT_LINE;
            return;
        }
        switch (state) {
            case METHOD -> {
                keep(b);
                state = b == ' ' ? State.TARGET : State.METHOD;
            }
            case TARGET -> {
                if (b == ' ') {
                    state = State.VERSION;
                    version = 0;
                    otherMajor = false;
                } else {
                    targetBytes++;
                    keep(b);
                }
            }
            case VERSION -> version(in, at, b);
            case NEXT_LINE -> {
                if (b == '\r') {
                    state = State.END;
                } else {
                    matched = 0;
                    state = State.HOST_NAME;
                    hostName(b);
                    if (b == ' ' || b == '\t') {
                        found(HeadProblem.FOLDED);
                    }
                }
            }
            case HOST_NAME -> hostName(b);
            case HOST_VALUE -> {
                if (host.length() < MOST_HOST) {
                    host.append((char) (b & 0xff));
                }
            }
            case END -> state = State.LINE;
            default -> {
                // nothing to note
            }
        }
    }

    private void hostName(byte b) {
        if (matched < HOST.length() && (b | 0x20) == HOST.charAt(matched)) {
            matched++;
        } else if (matched == HOST.length() && b == ':') {
            hosts++;
            host.setLength(0);
            state = State.HOST_VALUE;
        } else {
            state = State.LINE;
        }
    }

    private void version(ByteBuffer in, int at, byte b) {
        if (version == MINOR) {
            minorZero = b == '0';
        }
        if (version == MAJOR && b != '1' && isDigit(b)) {
            found(b == '0' ? HeadProblem.OLD_VERSION : HeadProblem.NEW_VERSION);
            otherMajor = true;
        }
        if (otherMajor && (version == MAJOR || version == MINOR) && isDigit(b)) {
            in.put(at, (byte) '1');
        }
        version++;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private void found(HeadProblem what) {
        if (problem == null) {
            problem = what;
        }
    }
}
