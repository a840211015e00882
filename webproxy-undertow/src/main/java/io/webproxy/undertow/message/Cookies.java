package io.webproxy.undertow.message;

import java.util.ArrayList;
import java.util.List;

/**
 * Finds cookies by name in {@code Cookie} and {@code Set-Cookie} (RFC 6265 sections 4.2 and 5.2). Any input is
 * accepted; a part without a name isn't a cookie. Pure.
 */
public final class Cookies {
    private Cookies() {}

    /** The values of a cookie in all {@code Cookie} fields of a request, in order, quotes included. */
    public static List<String> values(List<String> fields, String name) {
        List<String> values = new ArrayList<>();
        for (String field : fields) {
            for (int start = 0; start <= field.length(); start = end(field, start) + 1) {
                int end = end(field, start);
                if (isNamed(field, start, end, name)) {
                    values.add(
                            field.substring(field.indexOf('=', start) + 1, end).trim());
                }
            }
        }
        return values;
    }

    /**
     * The {@code Cookie} fields of a request without one cookie; other cookies stay byte for byte, and a field that
     * becomes empty is dropped.
     */
    public static List<String> without(List<String> fields, String name) {
        List<String> left = new ArrayList<>(fields.size());
        for (String field : fields) {
            String rest = without(field, name);
            if (!rest.isBlank()) {
                left.add(rest);
            }
        }
        return left;
    }

    private static String without(String field, String name) {
        StringBuilder rest = new StringBuilder(field.length());
        boolean found = false;
        for (int start = 0; start <= field.length(); start = end(field, start) + 1) {
            int end = end(field, start);
            if (isNamed(field, start, end, name)) {
                found = true;
            } else if (rest.isEmpty() && found) {
                rest.append(field.substring(start, end).stripLeading());
            } else {
                rest.append(start == 0 ? "" : ";").append(field, start, end);
            }
        }
        return found ? rest.toString() : field;
    }

    /** Whether a {@code Set-Cookie} field sets this cookie. */
    public static boolean isSet(String field, String name) {
        return isNamed(field, 0, end(field, 0), name);
    }

    private static int end(String field, int start) {
        int semicolon = field.indexOf(';', start);
        return semicolon < 0 ? field.length() : semicolon;
    }

    private static boolean isNamed(String field, int start, int end, String name) {
        int from = start;
        while (from < end && isSpace(field.charAt(from))) {
            from++;
        }
        int to = from;
        while (to < end && field.charAt(to) != '=') {
            to++;
        }
        if (to == end) {
            return false;
        }
        while (to > from && isSpace(field.charAt(to - 1))) {
            to--;
        }
        return to - from == name.length() && field.startsWith(name, from);
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t';
    }
}
