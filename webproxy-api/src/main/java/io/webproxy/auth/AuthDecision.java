package io.webproxy.auth;

import io.webproxy.spi.HeaderEdit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What an {@link Authenticator} decided. */
public sealed interface AuthDecision {
    /**
     * The request may pass.
     *
     * @param user who it is, as it stands in the record
     */
    record Granted(String user) implements AuthDecision {
        /** Checks that the user isn't null. */
        public Granted {
            Objects.requireNonNull(user, "user");
        }
    }

    /**
     * The request is answered by the proxy.
     *
     * @param status 400 to 599, such as 401, 403, 429 or 503
     * @param headers fields of the answer, such as {@code WWW-Authenticate}
     */
    record Denied(int status, Map<String, List<String>> headers) implements AuthDecision {
        /**
         * Checks and copies.
         *
         * @throws IllegalArgumentException if the status is none of those, or a field can't be one of an answer, see
         *     {@link HeaderEdit}
         */
        public Denied {
            if (status < 400 || status > 599) {
                throw new IllegalArgumentException("status: " + status + " (expected: 400-599)");
            }
            Map<String, List<String>> checked = new LinkedHashMap<>();
            headers.forEach((name, values) -> {
                values.forEach(value -> new HeaderEdit(HeaderEdit.Kind.ADD, name, value));
                checked.put(name, List.copyOf(values));
            });
            headers = Collections.unmodifiableMap(checked);
        }
    }
}
