package io.webproxy.corpus;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the requests of one upstream connection as strictly as can be: what isn't plainly HTTP/1.1 is malformed. */
final class RequestReader {
    private static final Pattern HEAD = Pattern.compile(
            "[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\\x21-\\x7e]+(\\?[\\x21-\\x7e\\x80-\\xff]*)? HTTP/1\\.[01]\r\n"
                    + "([!#$%&'*+.^_`|~0-9A-Za-z-]+:[\\t\\x20-\\x7e\\x80-\\xff]*\r\n"
                    + ")*+\r\n");
    private static final Pattern LENGTH = Pattern.compile("\r\ncontent-length: ([0-9]{1,9})\r\n");
    private static final String CHUNKED = "\r\ntransfer-encoding: chunked\r\n";

    private enum State {
        HEAD,
        LENGTH,
        SIZE,
        CHUNK,
        TRAILERS,
        GARBAGE
    }

    private final boolean guarded;
    private final int connection;
    private final Consumer<SeenRequest> began;
    private final Consumer<SeenRequest> ended;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private State state = State.HEAD;
    private long left;
    private @Nullable SeenRequest current;

    RequestReader(boolean guarded, int connection, Consumer<SeenRequest> began, Consumer<SeenRequest> ended) {
        this.guarded = guarded;
        this.connection = connection;
        this.began = began;
        this.ended = ended;
    }

    /** What has come of a head that isn't complete, or null. */
    @Nullable SeenRequest partial() {
        return state == State.HEAD && line.size() > 0
                ? new SeenRequest(guarded, connection, line.toString(StandardCharsets.ISO_8859_1), true)
                : null;
    }

    @Nullable SeenRequest current() {
        return current;
    }

    void feed(byte b) {
        switch (state) {
            case HEAD -> {
                line.write(b);
                if (b == '\n' && isHeadEnd()) {
                    head(takeLine());
                }
            }
            case LENGTH, CHUNK -> data(b);
            case SIZE -> {
                line.write(b);
                if (b == '\n') {
                    size(takeLine());
                }
            }
            case TRAILERS -> {
                line.write(b);
                if (b == '\n') {
                    String trailer = takeLine();
                    if (trailer.equals("\r\n")) {
                        end();
                    } else {
                        request().body.writeBytes(trailer.getBytes(StandardCharsets.ISO_8859_1));
                    }
                }
            }
            case GARBAGE -> request().body.write(b);
        }
    }

    private SeenRequest request() {
        return Objects.requireNonNull(current);
    }

    private boolean isHeadEnd() {
        String all = line.toString(StandardCharsets.ISO_8859_1);
        return all.endsWith("\r\n\r\n") || all.endsWith("\n\n");
    }

    private String takeLine() {
        String taken = line.toString(StandardCharsets.ISO_8859_1);
        line.reset();
        return taken;
    }

    private void head(String head) {
        String lower = head.toLowerCase(Locale.ROOT);
        Matcher length = LENGTH.matcher(lower);
        boolean hasLength = length.find();
        boolean wrong = !HEAD.matcher(head).matches()
                || (hasLength && length.find())
                || (hasLength && lower.contains("\r\ntransfer-encoding:"));
        current = new SeenRequest(guarded, connection, head, wrong);
        began.accept(current);
        if (wrong) {
            state = State.GARBAGE;
        } else if (lower.contains(CHUNKED)) {
            state = State.SIZE;
        } else if (hasLength) {
            length.reset();
            left = length.find() ? Long.parseLong(length.group(1)) : 0;
            state = State.LENGTH;
            if (left == 0) {
                end();
            }
        } else {
            end();
        }
    }

    private void data(byte b) {
        if (left > 0) {
            request().body.write(b);
            if (--left == 0 && state == State.LENGTH) {
                end();
            }
        } else if (b == '\n') {
            state = State.SIZE;
        }
    }

    private void size(String text) {
        left = Long.parseLong(text.strip(), 16);
        state = left == 0 ? State.TRAILERS : State.CHUNK;
    }

    private void end() {
        SeenRequest whole = request();
        whole.complete = true;
        current = null;
        state = State.HEAD;
        ended.accept(whole);
    }
}
