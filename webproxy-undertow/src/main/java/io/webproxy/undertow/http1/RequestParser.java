package io.webproxy.undertow.http1;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.undertow.util.Protocols;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.exchange.HeadProblem;
import io.webproxy.undertow.message.FieldParser;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Parses the request heads of one connection (RFC 9112 sections 2 to 5), strictly and within limits. It looks at each
 * byte once, wherever the input is split, and refuses a head at its first wrong byte.
 *
 * <p>Pure and total: bad input is an answer, not an exception. Between two heads it holds no bytes. Belongs to one IO
 * thread.
 */
final class RequestParser {
    /** What a log shows for an invalid method. */
    static final HttpString NO_METHOD = new HttpString("-");

    /** The length of the part of HTTP/2's preface that {@link #isPreface} covers. */
    static final int PREFACE_LENGTH = "PRI * HTTP/2.0".length();

    private static final int MOST_METHOD = 64;
    private static final int VERSION_LENGTH = "HTTP/1.1".length();
    /** How much of a refused target a record shows. */
    private static final int MOST_SHOWN = 4096;

    /** How many bytes are copied at once: those after the head are copied in vain. */
    private static final int STEP = 2048;

    private static final byte PATH = 1;
    private static final byte QUERY = 2;
    private static final byte VALUE = 4;
    private static final byte TOKEN = 8;
    private static final byte[] KINDS = new byte[256];

    static {
        for (int b = 0; b < KINDS.length; b++) {
            boolean visible = b > ' ' && b != 0x7f;
            int path = visible && b != '#' && b != '"' && b != '<' && b != '>' ? PATH : 0;
            int query = visible && b != '#' ? QUERY : 0;
            int value = FieldParser.isValueByte((byte) b) ? VALUE : 0;
            int token = FieldParser.isToken((byte) b) ? TOKEN : 0;
            KINDS[b] = (byte) (path | query | value | token);
        }
    }

    private enum State {
        START,
        EMPTY_LINE,
        METHOD,
        PATH,
        QUERY,
        VERSION,
        LINE_END,
        NAME,
        BEFORE_VALUE,
        VALUE,
        END,
        DONE
    }

    /** Shared by the parsers of one thread. */
    private static final class Shared {
        private static final ThreadLocal<Shared> OF_THREAD = ThreadLocal.withInitial(Shared::new);

        private final byte[] scratch = new byte[4 * STEP];
        private final NameCache names = NameCache.ofFields();
        private final NameCache methods = NameCache.ofMethods();
    }

    private State state = State.START;
    private boolean emptyLineSeen;
    private int headBytes;

    /**
     * The current bytes: the incomplete element starts at {@code mark}, the next byte is at {@code at}, and they end at
     * {@code end}.
     */
    private byte[] bytes = {};

    private int mark;
    private int at;
    private int end;
    /** The bytes of an incomplete head between two calls. */
    private byte @Nullable [] kept;

    private int hash;
    /** Start of the query relative to {@code mark}; 0 for none. */
    private int query;

    private @Nullable HttpString method;
    private @Nullable String path;
    private @Nullable String queryString;
    private @Nullable HttpString protocol;
    private @Nullable HttpString name;
    private RequestFields fields = new RequestFields();
    private @Nullable HeadProblem problem;
    private boolean prefaceLine;

    /** The next byte starts another head. */
    void reset() {
        state = State.START;
        emptyLineSeen = false;
        headBytes = 0;
        mark = 0;
        at = 0;
        end = 0;
        kept = null;
        query = 0;
        method = null;
        path = null;
        queryString = null;
        protocol = null;
        name = null;
        fields = new RequestFields();
        problem = null;
        prefaceLine = false;
    }

    /**
     * Whether the refused bytes are the first line of HTTP/2's preface (RFC 9113 section 3.4), of which
     * {@link #PREFACE_LENGTH} bytes were consumed.
     */
    boolean isPreface() {
        return prefaceLine;
    }

    /** Whether a byte of a head has arrived; empty lines before it don't count. */
    boolean hasBegun() {
        return state != State.START && state != State.EMPTY_LINE;
    }

    /** Why the head is refused, or null. */
    @Nullable HeadProblem problem() {
        return problem;
    }

    /** Refuses an incomplete head for a reason other than its bytes. */
    void refuse(HeadProblem why) {
        fail(why);
        release();
    }

    /** The method, or null if it is incomplete or invalid. */
    @Nullable HttpString method() {
        return method;
    }

    /** The target without its query, as far as it has arrived; may be empty. */
    String path() {
        return path == null ? "" : path;
    }

    /** Whether the target is in absolute form, with a scheme and a host (RFC 9112 section 3.2.2). */
    boolean isAbsolute() {
        String target = path();
        int colon = target.indexOf(':');
        if (colon <= 0 || !target.startsWith("://", colon)) {
            return false;
        }
        for (int i = 0; i < colon; i++) {
            if (!Character.isLetterOrDigit(target.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** The query after the question mark of the target, or null if it has none. */
    @Nullable String query() {
        return queryString;
    }

    /** HTTP/1.1, also for later minor versions; for a refused head the version in it, or HTTP/1.1. */
    HttpString protocol() {
        return protocol == null ? Protocols.HTTP_1_1 : protocol;
    }

    boolean isHttp11() {
        return Protocols.HTTP_1_1.equals(protocol);
    }

    /** All fields. */
    HeaderMap headers() {
        return fields.all();
    }

    /** All fields, parsed. */
    RequestFields fields() {
        return fields;
    }

    /**
     * Parses bytes of the head.
     *
     * @param in its position ends after the head, or where the head is refused
     * @return whether the head is complete or refused, see {@link #problem()}
     */
    boolean parse(ByteBuffer in, HttpLimits limits) {
        Shared shared = Shared.OF_THREAD.get();
        bytes = kept == null ? shared.scratch : kept;
        while (state != State.DONE && in.hasRemaining()) {
            int count = Math.min(in.remaining(), STEP);
            makeRoom(count);
            in.get(in.position(), bytes, end, count);
            int before = at;
            end += count;
            run(shared, limits);
            headBytes += at - before;
            in.position(in.position() + count - (end - at));
            limit(limits);
        }
        if (state == State.DONE) {
            release();
        } else {
            keep(shared);
        }
        return state == State.DONE;
    }

    private void release() {
        bytes = new byte[0];
        kept = null;
    }

    private void limit(HttpLimits limits) {
        if (problem != null) {
            return;
        }
        boolean inTarget = state == State.PATH || state == State.QUERY;
        if (inTarget && (at - mark > limits.requestTargetBytes() || headBytes > limits.requestHeadBytes())) {
            target(Math.min(at, mark + MOST_SHOWN));
            fail(Problems.TARGET_TOO_LONG);
        } else if (headBytes > limits.requestHeadBytes()) {
            fail(Problems.TOO_LARGE);
        }
    }

    /** Moves the incomplete element to the front, and into a larger array if necessary. */
    private void makeRoom(int count) {
        if (end + count <= bytes.length) {
            return;
        }
        int length = end - mark;
        byte[] target = length + count <= bytes.length ? bytes : new byte[Math.max(2 * bytes.length, length + count)];
        System.arraycopy(bytes, mark, target, 0, length);
        bytes = target;
        at -= mark;
        end -= mark;
        mark = 0;
    }

    private void keep(Shared shared) {
        if (bytes == shared.scratch) {
            bytes = Arrays.copyOfRange(bytes, mark, end);
            at -= mark;
            end -= mark;
            mark = 0;
        }
        kept = bytes;
    }

    private void run(Shared shared, HttpLimits limits) {
        while (at < end && state != State.DONE) {
            switch (state) {
                case START -> start();
                case EMPTY_LINE -> lineFeed(State.START);
                case METHOD -> method(shared);
                case PATH -> path(limits);
                case QUERY -> query(limits);
                case VERSION -> version();
                case LINE_END -> {
                    lineFeed(State.NAME);
                    hash = 0;
                }
                case NAME -> name(shared);
                case BEFORE_VALUE -> beforeValue();
                case VALUE -> value(limits);
                case END -> {
                    lineFeed(State.DONE);
                    if (problem == null) {
                        problem = fields.problem(isHttp11());
                    }
                }
                default -> throw new IllegalStateException();
            }
        }
    }

    private void fail(HeadProblem why) {
        problem = why;
        state = State.DONE;
    }

    private void start() {
        if (bytes[at] == '\r' && !emptyLineSeen) {
            // RFC 9112 section 2.2
            emptyLineSeen = true;
            at++;
            state = State.EMPTY_LINE;
        } else {
            mark = at;
            hash = 0;
            headBytes = 0;
            state = State.METHOD;
        }
    }

    private void lineFeed(State next) {
        if (bytes[at] != '\n') {
            fail(Problems.MALFORMED);
            return;
        }
        at++;
        mark = at;
        state = next;
    }

    private int token(int to) {
        byte[] in = bytes;
        int p = at;
        int h = hash;
        while (p < to && (KINDS[in[p] & 0xff] & TOKEN) != 0) {
            h = 31 * h + in[p++];
        }
        hash = h;
        at = p;
        return p - mark;
    }

    private void method(Shared shared) {
        // one more byte shows that it is too long
        int length = token(Math.min(end, mark + MOST_METHOD + 1));
        if (length > MOST_METHOD) {
            method = new HttpString(Arrays.copyOfRange(bytes, mark, mark + MOST_METHOD + 1));
            fail(Problems.MALFORMED);
        } else if (at < end && (bytes[at] != ' ' || length == 0)) {
            fail(Problems.MALFORMED);
        } else if (at < end) {
            method = shared.methods.get(bytes, mark, at, hash);
            at++;
            mark = at;
            state = State.PATH;
        }
    }

    private void path(HttpLimits limits) {
        byte[] in = bytes;
        int p = at;
        while (p < end && (KINDS[in[p] & 0xff] & PATH) != 0 && in[p] != '?') {
            p++;
        }
        at = p;
        if (p < end && in[p] == '?') {
            query = p + 1 - mark;
            at++;
            state = State.QUERY;
        } else if (p < end) {
            targetEnds(limits);
        }
    }

    private void query(HttpLimits limits) {
        byte[] in = bytes;
        int p = at;
        while (p < end && (KINDS[in[p] & 0xff] & QUERY) != 0) {
            p++;
        }
        at = p;
        if (p < end) {
            targetEnds(limits);
        }
    }

    private void targetEnds(HttpLimits limits) {
        int length = at - mark;
        target(Math.min(at, mark + Math.max(MOST_SHOWN, limits.requestTargetBytes())));
        if (bytes[at] == '\r' && length > 0) {
            protocol = Protocols.HTTP_0_9;
            fail(Problems.OLD_VERSION);
        } else if (bytes[at] != ' ' || length == 0 || (query == 2 && bytes[mark] == '*')) {
            // the asterisk form has no query (RFC 9112 section 3.2.4)
            fail(Problems.MALFORMED);
        } else if (length > limits.requestTargetBytes()) {
            fail(Problems.TARGET_TOO_LONG);
        } else {
            at++;
            mark = at;
            state = State.VERSION;
        }
    }

    private void target(int to) {
        boolean hasQuery = query != 0 && mark + query <= to;
        path = text(mark, hasQuery ? mark + query - 1 : to);
        queryString = hasQuery ? text(mark + query, to) : null;
    }

    private void version() {
        while (at < end && bytes[at] != '\r' && at - mark <= VERSION_LENGTH) {
            at++;
        }
        if (at == end && at - mark <= VERSION_LENGTH) {
            return;
        }
        if (at == end || bytes[at] != '\r' || at - mark != VERSION_LENGTH || !isVersion(bytes, mark)) {
            fail(Problems.MALFORMED);
            return;
        }
        byte major = bytes[mark + 5];
        if (major != '1') {
            // for the record
            protocol = new HttpString(Arrays.copyOfRange(bytes, mark, at));
            prefaceLine = major == '2' && bytes[mark + 7] == '0' && !emptyLineSeen && isPrefaceTarget();
            fail(major == '0' ? Problems.OLD_VERSION : Problems.NEW_VERSION);
            return;
        }
        protocol = bytes[mark + 7] == '0' ? Protocols.HTTP_1_0 : Protocols.HTTP_1_1;
        at++;
        state = State.LINE_END;
    }

    private boolean isPrefaceTarget() {
        return method != null && method.toString().equals("PRI") && "*".equals(path) && queryString == null;
    }

    private static boolean isVersion(byte[] in, int from) {
        return in[from] == 'H'
                && in[from + 1] == 'T'
                && in[from + 2] == 'T'
                && in[from + 3] == 'P'
                && in[from + 4] == '/'
                && isDigit(in[from + 5])
                && in[from + 6] == '.'
                && isDigit(in[from + 7]);
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private void name(Shared shared) {
        int length = token(end);
        if (at == end) {
            return;
        }
        byte b = bytes[at];
        if (b == ':' && length > 0) {
            name = shared.names.get(bytes, mark, at, hash);
            at++;
            mark = at;
            state = State.BEFORE_VALUE;
        } else if (b == '\r' && length == 0) {
            at++;
            state = State.END;
        } else {
            fail(length == 0 && (b == ' ' || b == '\t') ? Problems.FOLDED : Problems.MALFORMED);
        }
    }

    private void beforeValue() {
        while (at < end && (bytes[at] == ' ' || bytes[at] == '\t')) {
            at++;
        }
        mark = at;
        if (at < end) {
            state = State.VALUE;
        }
    }

    private void value(HttpLimits limits) {
        byte[] in = bytes;
        int p = at;
        while (p < end && (KINDS[in[p] & 0xff] & VALUE) != 0) {
            p++;
        }
        at = p;
        if (p == end) {
            return;
        }
        if (in[p] != '\r') {
            fail(Problems.MALFORMED);
            return;
        }
        int to = p;
        while (to > mark && (in[to - 1] == ' ' || in[to - 1] == '\t')) {
            to--;
        }
        at++;
        state = State.LINE_END;
        if (fields.count() >= limits.fields()) {
            fail(Problems.tooManyFields(limits.fields()));
        } else if (name != null) {
            fields.add(name, text(mark, to));
        }
    }

    private String text(int from, int to) {
        return from == to ? "" : new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }
}
