package io.webproxy.undertow.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads JSON strictly (RFC 8259): objects as maps, lists, texts, numbers as {@code Double}, booleans, null. */
public final class JsonText {
    private final String text;
    private int at;

    private JsonText(String text) {
        this.text = text;
    }

    /** The object that a text is. */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> object(String text) {
        JsonText reader = new JsonText(text.strip());
        Object value = reader.value();
        if (reader.at != reader.text.length()) {
            throw reader.wrong();
        }
        return (Map<String, Object>) value;
    }

    /** The objects of a list among the members of an object. */
    @SuppressWarnings("unchecked")
    public static List<Map<String, Object>> list(Map<String, Object> of, String name) {
        return (List<Map<String, Object>>) of.get(name);
    }

    /** An object among the members of an object. */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> member(Map<String, Object> of, String name) {
        return (Map<String, Object>) of.get(name);
    }

    private AssertionError wrong() {
        return new AssertionError("no JSON at " + at + ": " + text);
    }

    private char next() {
        if (at >= text.length()) {
            throw wrong();
        }
        return text.charAt(at++);
    }

    private boolean take(String what) {
        boolean there = text.startsWith(what, at);
        at += there ? what.length() : 0;
        return there;
    }

    private @Nullable Object value() {
        if (take("{")) {
            Map<String, Object> members = new LinkedHashMap<>();
            while (!take("}")) {
                if (!members.isEmpty() && !take(",") || !take("\"")) {
                    throw wrong();
                }
                String name = string();
                if (!take(":") || members.containsKey(name)) {
                    throw wrong();
                }
                members.put(name, value());
            }
            return members;
        }
        if (take("[")) {
            List<Object> elements = new ArrayList<>();
            while (!take("]")) {
                if (!elements.isEmpty() && !take(",")) {
                    throw wrong();
                }
                elements.add(value());
            }
            return elements;
        }
        if (take("\"")) {
            return string();
        }
        if (take("null")) {
            return null;
        }
        if (take("true")) {
            return true;
        }
        return take("false") ? false : number();
    }

    private Double number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String digits = text.substring(start, at);
        if (!digits.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
            throw wrong();
        }
        return Double.valueOf(digits);
    }

    private String string() {
        StringBuilder read = new StringBuilder();
        while (true) {
            char c = next();
            if (c == '"') {
                return read.toString();
            }
            if (c < ' ') {
                throw wrong();
            }
            if (c != '\\') {
                read.append(c);
                continue;
            }
            char escaped = next();
            switch (escaped) {
                case '"', '\\', '/' -> read.append(escaped);
                case 'b' -> read.append('\b');
                case 'f' -> read.append('\f');
                case 'n' -> read.append('\n');
                case 'r' -> read.append('\r');
                case 't' -> read.append('\t');
                case 'u' -> {
                    read.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                }
                default -> throw wrong();
            }
        }
    }
}
