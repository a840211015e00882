package io.webproxy.route;

import io.webproxy.http.Answer;
import io.webproxy.spi.HeaderEdit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The decision of a {@link RequestFilter} or {@link ResponseFilter}: the message proceeds, is answered in its place, or
 * waits. Immutable.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class FilterDecision {
    private static final FilterDecision UNCHANGED = new FilterDecision(
            Optional.empty(), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), Map.of());
    private static final Pattern TARGET = Pattern.compile("/[\\x21\\x22\\x24-\\x3e\\x40-\\x7e]*");

    private final Optional<Answer> answer;
    private final Optional<CompletionStage<? extends FilterDecision>> later;
    private final Optional<String> path;
    private final List<HeaderEdit> headers;
    private final Optional<Upstream> upstream;
    private final Map<String, String> tags;

    private FilterDecision(
            Optional<Answer> answer,
            Optional<CompletionStage<? extends FilterDecision>> later,
            Optional<String> path,
            List<HeaderEdit> headers,
            Optional<Upstream> upstream,
            Map<String, String> tags) {
        this.answer = answer;
        this.later = later;
        this.path = path;
        this.headers = headers;
        this.upstream = upstream;
        this.tags = tags;
    }

    /** The message proceeds unchanged; the start of a decision that changes it. */
    public static FilterDecision proceed() {
        return UNCHANGED;
    }

    /**
     * The client gets this answer: without an upstream, or in place of an upstream's response, whose body is discarded.
     */
    public static FilterDecision answer(Answer answer) {
        return new FilterDecision(
                Optional.of(Objects.requireNonNull(answer, "answer")),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Map.of());
    }

    /**
     * The decision comes later, from any thread. Until then the exchange waits as it would for an upstream: the limits
     * of its timeout class apply (a class without one waits here as long as {@code DEFAULT}, or a minute if that has
     * none either), after which the client gets 504, and the exchange ends if the client leaves. A later decision is
     * ignored. A stage that fails, or completes with null or with another decision that comes later, leads to 500. The
     * message's body isn't read meanwhile.
     */
    public static FilterDecision later(CompletionStage<? extends FilterDecision> stage) {
        return new FilterDecision(
                Optional.empty(),
                Optional.of(Objects.requireNonNull(stage, "stage")),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Map.of());
    }

    /**
     * The same with another path for the upstream, instead of the route's; from a response filter it leads to 500.
     *
     * @param other percent-encoded, without a query, which stays the client's; one that leads above the root, or that
     *     servers could read in different ways, is answered with 400
     * @throws IllegalArgumentException if it isn't
     * @throws IllegalStateException if the request doesn't proceed
     */
    public FilterDecision withPath(String other) {
        if (!TARGET.matcher(Objects.requireNonNull(other, "path")).matches()) {
            throw new IllegalArgumentException(
                    "path: " + other + " (expected: a path that starts with /, percent-encoded, without a query)");
        }
        return changed("withPath", Optional.of(other), headers, upstream);
    }

    /**
     * The same with a field of the message set to one value, after the route's own edits.
     *
     * @throws IllegalArgumentException if the field can't be set: its name is no token (RFC 9110 section 5.1), it
     *     frames the message, is meant for one connection or says who the client is, or its value has a control
     *     character
     * @throws IllegalStateException if the message doesn't proceed
     */
    public FilterDecision setHeader(String name, String value) {
        return edited("setHeader", new HeaderEdit(HeaderEdit.Kind.SET, name, value));
    }

    /**
     * The same with one more value of a field of the message, after the route's own edits.
     *
     * @throws IllegalArgumentException if the field can't be added, see {@link #setHeader}
     * @throws IllegalStateException if the message doesn't proceed
     */
    public FilterDecision addHeader(String name, String value) {
        return edited("addHeader", new HeaderEdit(HeaderEdit.Kind.ADD, name, value));
    }

    /**
     * The same with a field of the message removed, after the route's own edits.
     *
     * @throws IllegalArgumentException if the field can't be removed, see {@link #setHeader}
     * @throws IllegalStateException if the message doesn't proceed
     */
    public FilterDecision removeHeader(String name) {
        return edited("removeHeader", new HeaderEdit(HeaderEdit.Kind.REMOVE, name, ""));
    }

    /**
     * The same with a single upstream, one of the route's or another, instead of the route's choice; from a response
     * filter it leads to 500.
     *
     * @throws IllegalStateException if the request doesn't proceed
     */
    public FilterDecision withUpstream(Upstream chosen) {
        return changed("withUpstream", path, headers, Optional.of(Objects.requireNonNull(chosen, "upstream")));
    }

    /**
     * The same with one more tag in the record, replacing one of the same name.
     *
     * @throws IllegalStateException if the decision comes later
     */
    public FilterDecision addTag(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(tags);
        more.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        if (later.isPresent()) {
            throw new IllegalStateException(
                    "addTag: " + this + " (expected: addTag of the decision that the stage completes with)");
        }
        return new FilterDecision(answer, later, path, headers, upstream, Map.copyOf(more));
    }

    /** The answer to the client; empty if there is none. */
    public Optional<Answer> answer() {
        return answer;
    }

    /** The stage of a later decision; empty if the decision is made. */
    public Optional<CompletionStage<? extends FilterDecision>> later() {
        return later;
    }

    /** The path for the upstream; empty for the route's. */
    public Optional<String> path() {
        return path;
    }

    /** The changes of the message's fields, in order. */
    public List<HeaderEdit> headers() {
        return headers;
    }

    /** The only upstream to use; empty for the route's choice. */
    public Optional<Upstream> upstream() {
        return upstream;
    }

    /** Tags that are added to the record. */
    public Map<String, String> tags() {
        return tags;
    }

    private FilterDecision edited(String what, HeaderEdit edit) {
        List<HeaderEdit> more = new ArrayList<>(headers);
        more.add(edit);
        return changed(what, path, List.copyOf(more), upstream);
    }

    private FilterDecision changed(
            String what, Optional<String> newPath, List<HeaderEdit> edits, Optional<Upstream> chosen) {
        if (answer.isPresent() || later.isPresent()) {
            throw new IllegalStateException(what + ": " + this
                    + " (expected: FilterDecision.proceed(), the only decision that can be changed)");
        }
        return new FilterDecision(answer, later, newPath, edits, chosen, tags);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FilterDecision decision
                && answer.equals(decision.answer)
                && later.equals(decision.later)
                && path.equals(decision.path)
                && headers.equals(decision.headers)
                && upstream.equals(decision.upstream)
                && tags.equals(decision.tags);
    }

    @Override
    public int hashCode() {
        return Objects.hash(answer, later, path, headers, upstream, tags);
    }

    /** Omits the values of fields, which may be secrets. */
    @Override
    public String toString() {
        if (later.isPresent()) {
            return "later";
        }
        return answer.isPresent()
                ? "answer(" + answer.get() + ", tags=" + tags + ")"
                : "proceed(path=" + path + ", headers="
                        + headers.stream().map(HeaderEdit::name).toList() + ", upstream=" + upstream + ", tags=" + tags
                        + ")";
    }
}
