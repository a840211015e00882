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

/** What a {@link RequestFilter} decided. Immutable. */
public sealed interface FilterDecision {
    /** The request goes on as it is; the start of one that goes on with changes. */
    static Proceed proceed() {
        return Proceed.UNCHANGED;
    }

    /** The request is answered with this, and no upstream is asked. */
    static FilterDecision answer(Answer answer) {
        return new Answered(Objects.requireNonNull(answer, "answer"), Map.of());
    }

    /**
     * The decision comes later, from any thread. Until then the exchange waits as it would for an upstream: it is under
     * the limits of its timeout class (a class without one waits here as long as {@code DEFAULT}, and a minute if that
     * has none either) and answers 504 when they have passed, and it ends when the client leaves. A decision that comes
     * behind that is ignored. A stage that fails, or completes with null or with another {@code Later}, answers 500.
     * The body of the request waits unread.
     */
    static FilterDecision later(CompletionStage<? extends FilterDecision> stage) {
        return new Later(Objects.requireNonNull(stage, "stage"));
    }

    /**
     * The request is answered.
     *
     * @param answer with what
     * @param tags of the record
     */
    record Answered(Answer answer, Map<String, String> tags) implements FilterDecision {
        /** Copies the tags. */
        public Answered {
            tags = Map.copyOf(tags);
        }
    }

    /**
     * The decision comes later.
     *
     * @param stage completes with it, never with another {@code Later}
     */
    record Later(CompletionStage<? extends FilterDecision> stage) implements FilterDecision {}

    /**
     * The request goes on.
     *
     * @param path what the upstream is asked for in place of the path, after the route's own rewriting; empty for that
     * @param headers changes of the request's fields, behind the route's own
     * @param upstream the only one that is asked, of the route's or another; empty for the route's choice
     * @param tags of the record
     */
    record Proceed(
            Optional<String> path, List<HeaderEdit> headers, Optional<Upstream> upstream, Map<String, String> tags)
            implements FilterDecision {
        private static final Proceed UNCHANGED = new Proceed(Optional.empty(), List.of(), Optional.empty(), Map.of());
        private static final Pattern TARGET = Pattern.compile("/[\\x21\\x22\\x24-\\x3e\\x40-\\x7e]*");

        /** Copies the collections. */
        public Proceed {
            path.ifPresent(Proceed::checkPath);
            headers = List.copyOf(headers);
            Objects.requireNonNull(upstream, "upstream");
            tags = Map.copyOf(tags);
        }

        /**
         * The same with another path.
         *
         * @param other percent-encoded, without a query, which stays the client's; one that leads above the root, or
         *     that servers could read in different ways, is answered with 400
         * @throws IllegalArgumentException if it isn't
         */
        public Proceed withPath(String other) {
            return new Proceed(Optional.of(Objects.requireNonNull(other, "path")), headers, upstream, tags);
        }

        private static void checkPath(String other) {
            if (!TARGET.matcher(other).matches()) {
                throw new IllegalArgumentException(
                        "path: " + other + " (expected: a path that starts with /, percent-encoded, without a query)");
            }
        }

        /** The same with a field set, see {@link HeaderEdit}. */
        public Proceed setHeader(String name, String value) {
            return edited(new HeaderEdit(HeaderEdit.Kind.SET, name, value));
        }

        /** The same with a field removed. */
        public Proceed removeHeader(String name) {
            return edited(new HeaderEdit(HeaderEdit.Kind.REMOVE, name, ""));
        }

        /** The same with a chosen upstream. */
        public Proceed withUpstream(Upstream chosen) {
            return new Proceed(path, headers, Optional.of(chosen), tags);
        }

        /** The same with one more tag in the record. */
        public Proceed addTag(String name, String value) {
            Map<String, String> more = new LinkedHashMap<>(tags);
            more.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
            return new Proceed(path, headers, upstream, more);
        }

        private Proceed edited(HeaderEdit edit) {
            List<HeaderEdit> more = new ArrayList<>(headers);
            more.add(edit);
            return new Proceed(path, more, upstream, tags);
        }
    }
}
