package io.webproxy.auth;

import io.webproxy.spi.HeaderEdit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The decision of an {@link Authenticator}: the request may pass, or it is answered. Immutable. */
public final class AuthDecision {
    private final @Nullable String user;
    private final int status;
    private final Map<String, List<String>> headers;
    private final Set<String> removed;

    private AuthDecision(@Nullable String user, int status, Map<String, List<String>> headers, Set<String> removed) {
        this.user = user;
        this.status = status;
        this.headers = headers;
        this.removed = removed;
    }

    /**
     * The request may pass.
     *
     * @param user the user's name, for filters, the record and the access log, and for upstreams if the route says so;
     *     empty for none
     */
    public static AuthDecision granted(String user) {
        return new AuthDecision(Objects.requireNonNull(user, "user"), 0, Map.of(), Set.of());
    }

    /**
     * The request is answered by the proxy, and reaches no upstream.
     *
     * @param status 400 to 599, such as 401, 403, 429 or 503
     * @throws IllegalArgumentException if it is another
     */
    public static AuthDecision denied(int status) {
        if (status < 400 || status > 599) {
            throw new IllegalArgumentException("status: " + status + " (expected: 400-599)");
        }
        return new AuthDecision(null, status, Map.of(), Set.of());
    }

    /**
     * The same with one more field of the answer, such as {@code WWW-Authenticate}; it is added to those of its name.
     *
     * @throws IllegalArgumentException if the field can't be one of an answer: its name is no token (RFC 9110 section
     *     5.1), it frames the message or is meant for one connection, or its value has a control character
     * @throws IllegalStateException if the request may pass, so that there is no answer
     */
    public AuthDecision withHeader(String name, String value) {
        HeaderEdit checked = new HeaderEdit(HeaderEdit.Kind.ADD, name, value);
        if (isGranted()) {
            throw new IllegalStateException("withHeader: " + this + " (expected: a change of AuthDecision.denied(…))");
        }
        Map<String, List<String>> more = new LinkedHashMap<>(headers);
        more.merge(checked.name(), List.of(checked.value()), (before, added) -> {
            List<String> both = new ArrayList<>(before);
            both.addAll(added);
            return List.copyOf(both);
        });
        return new AuthDecision(null, status, Collections.unmodifiableMap(more), Set.of());
    }

    /**
     * The same with one field of the request kept from the upstream, in head and trailers, because it has the
     * credentials: {@code Authorization} is kept from it anyway, see {@link Authenticator#forwardsCredentials}. The
     * whole field is removed, before any edits of the route and its filter; {@code Cookie} has all cookies. The route's
     * filter still sees it.
     *
     * @throws IllegalArgumentException if the field can't be removed: its name is no token (RFC 9110 section 5.1), or
     *     it frames the message, is meant for one connection, or says who the client is
     * @throws IllegalStateException if the request may not pass
     */
    public AuthDecision removeRequestHeader(String name) {
        HeaderEdit checked = new HeaderEdit(HeaderEdit.Kind.REMOVE, name, "");
        if (!isGranted()) {
            throw new IllegalStateException(
                    "removeRequestHeader: " + this + " (expected: a change of AuthDecision.granted(…))");
        }
        Set<String> more = new LinkedHashSet<>(removed);
        more.add(checked.name());
        return new AuthDecision(user, status, headers, Collections.unmodifiableSet(more));
    }

    /** Whether the request may pass. */
    public boolean isGranted() {
        return user != null;
    }

    /** The user's name; empty if the request may not pass. */
    public Optional<String> user() {
        return Optional.ofNullable(user);
    }

    /** The status of the answer; empty if the request may pass. */
    public Optional<Integer> status() {
        return isGranted() ? Optional.empty() : Optional.of(status);
    }

    /** The fields of the answer; empty if the request may pass. */
    public Map<String, List<String>> headers() {
        return headers;
    }

    /** The names of the request's fields that are kept from the upstream. */
    public Set<String> removedRequestHeaders() {
        return removed;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AuthDecision decision
                && Objects.equals(user, decision.user)
                && status == decision.status
                && headers.equals(decision.headers)
                && removed.equals(decision.removed);
    }

    @Override
    public int hashCode() {
        return Objects.hash(user, status, headers, removed);
    }

    @Override
    public String toString() {
        return isGranted()
                ? "granted(" + user + (removed.isEmpty() ? "" : ", without " + removed) + ")"
                : "denied(" + status + ", " + headers + ")";
    }
}
