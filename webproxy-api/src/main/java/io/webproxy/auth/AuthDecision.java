package io.webproxy.auth;

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
     * @param status 401, 403, 429 or 503
     * @param headers fields of the answer, such as {@code WWW-Authenticate}
     */
    record Denied(int status, Map<String, List<String>> headers) implements AuthDecision {
        /** Checks the status. */
        public Denied {
            if (status < 400 || status > 599) {
                throw new IllegalArgumentException("status: " + status + " (expected: 400-599)");
            }
            headers = Map.copyOf(headers);
        }
    }
}
