package io.webproxy.undertow.status;

import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON (RFC 8259) on one line, of ASCII characters that mean nothing in HTML either. Texts are cut at a length.
 * Not thread-safe.
 */
final class Json {
    /** How long a text may be. */
    static final int MOST_CHARACTERS = 300;

    private final StringBuilder out = new StringBuilder(4096);
    private boolean first = true;

    /** What was written. */
    @Override
    public String toString() {
        return out.toString();
    }

    private void value() {
        if (!first) {
            out.append(',');
        }
        first = false;
    }

    private Json name(String name) {
        value();
        quoted(name);
        out.append(':');
        return this;
    }

    private void enclosed(char open, Runnable content, char close) {
        out.append(open);
        first = true;
        content.run();
        out.append(close);
        first = false;
    }

    /** The whole object, or an element of a list. */
    void object(Runnable members) {
        value();
        enclosed('{', members, '}');
    }

    void object(String name, Runnable members) {
        name(name);
        enclosed('{', members, '}');
    }

    /** A list of at most so many objects. */
    <T> void list(String name, Iterable<T> elements, int most, BiConsumer<Json, T> members) {
        name(name);
        enclosed(
                '[',
                () -> {
                    int left = most;
                    for (T element : elements) {
                        if (left-- <= 0) {
                            return;
                        }
                        object(() -> members.accept(this, element));
                    }
                },
                ']');
    }

    /** A list of at most so many texts. */
    void texts(String name, Iterable<String> elements, int most) {
        name(name);
        enclosed(
                '[',
                () -> {
                    int left = most;
                    for (String element : elements) {
                        if (left-- <= 0) {
                            return;
                        }
                        value();
                        quoted(element);
                    }
                },
                ']');
    }

    /** A list of whole numbers; negative ones are null. */
    void numbers(String name, long[] elements) {
        name(name);
        enclosed(
                '[',
                () -> {
                    for (long element : elements) {
                        value();
                        out.append(element < 0 ? "null" : Long.toString(element));
                    }
                },
                ']');
    }

    /** An object of counts, in the order of names. */
    void counts(String name, Map<String, Long> counts) {
        object(name, () -> new TreeMap<>(counts).forEach(this::number));
    }

    void text(String name, @Nullable String text) {
        name(name);
        if (text == null) {
            out.append("null");
        } else {
            quoted(text);
        }
    }

    void text(String name, Optional<String> text) {
        text(name, text.orElse(null));
    }

    void time(String name, Optional<Instant> time) {
        text(name, time.map(Instant::toString).orElse(null));
    }

    void number(String name, long number) {
        name(name);
        out.append(number);
    }

    /** Seconds with three decimals. */
    void seconds(String name, long nanos) {
        name(name);
        out.append(String.format(Locale.ROOT, "%.3f", nanos / 1e9));
    }

    void bool(String name, boolean value) {
        name(name);
        out.append(value);
    }

    void nothing(String name) {
        name(name);
        out.append("null");
    }

    /** A text of at most {@link #MOST_CHARACTERS}; a longer one ends with an ellipsis. */
    static String cut(String text) {
        return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS - 1) + '…';
    }

    private void quoted(String text) {
        out.append('"');
        String shown = cut(text);
        for (int i = 0; i < shown.length(); i++) {
            char c = shown.charAt(i);
            // the rest is for whoever puts it into a page or a terminal without thinking
            if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == '\'') {
                out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
