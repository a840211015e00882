package io.webproxy.spi;

import io.webproxy.http.RequestHead;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A condition on a request's fields. Immutable.
 *
 * @param name the field's name, in any case
 * @param value the value that one of its values must equal, byte for byte; empty for any
 */
public record HeaderMatch(String name, Optional<String> value) {
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}");

    /** Checks the name. */
    public HeaderMatch {
        Objects.requireNonNull(value, "value");
        if (!TOKEN.matcher(Objects.requireNonNull(name, "name")).matches()) {
            throw new IllegalArgumentException(
                    "route.matchHeader: " + name + " (expected: a field name, such as X-Version)");
        }
    }

    /** Whether a request meets the condition. */
    public boolean matches(RequestHead request) {
        Optional<String> first = request.header(name);
        if (first.isEmpty() || value.isEmpty()) {
            return first.isPresent();
        }
        String wanted = value.get();
        if (first.get().equals(wanted)) {
            return true;
        }
        List<String> values = request.headers(name);
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i).equals(wanted)) {
                return true;
            }
        }
        return false;
    }

    /** Without the value, which may be secret. */
    @Override
    public String toString() {
        return "HeaderMatch[" + name + "]";
    }
}
