package io.webproxy.timeout;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The timeouts of exchanges: an idle limit for each {@link TimeoutClass}, a connect limit and, only if configured,
 * limits of the wait for the response head, of the time between events of an event stream, and of the whole exchange.
 *
 * <p>An idle limit covers both directions together: every body byte moved restarts it, so that a healthy transfer of
 * any length is never cut. Until the response head is complete, only request-body bytes that the upstream takes restart
 * it. {@link Duration#ZERO} means no limit. Limits take effect at most 250 ms late. Immutable.
 */
public final class TimeoutPolicy {
    private static final Duration LONGEST = Duration.ofDays(3650);
    private static final TimeoutPolicy DEFAULTS = new TimeoutPolicy(
            new EnumMap<>(Map.of(
                    TimeoutClass.DEFAULT, Duration.ofSeconds(60),
                    TimeoutClass.LONG, Duration.ofMinutes(10),
                    TimeoutClass.DOWNLOAD, Duration.ofMinutes(30),
                    TimeoutClass.WEBSOCKET, Duration.ZERO)),
            Duration.ofSeconds(5),
            Duration.ZERO,
            Duration.ZERO,
            Duration.ZERO,
            TimeoutClassifier.standard());

    private final Map<TimeoutClass, Duration> idle;
    private final Duration connect;
    private final Duration firstByte;
    private final Duration eventSilence;
    private final Duration total;
    private final TimeoutClassifier classifier;

    private TimeoutPolicy(
            Map<TimeoutClass, Duration> idle,
            Duration connect,
            Duration firstByte,
            Duration eventSilence,
            Duration total,
            TimeoutClassifier classifier) {
        this.idle = Collections.unmodifiableMap(idle);
        this.connect = connect;
        this.firstByte = firstByte;
        this.eventSilence = eventSilence;
        this.total = total;
        this.classifier = classifier;
    }

    /**
     * 60 s, 10 min, 30 min, none; connect 5 s; no total; the {@linkplain TimeoutClassifier#standard() standard}
     * classifier.
     */
    public static TimeoutPolicy defaults() {
        return DEFAULTS;
    }

    /**
     * The same policy with another idle limit for one class.
     *
     * @param limit the idle limit, {@link Duration#ZERO} for none
     * @throws IllegalArgumentException if the limit is negative, below 1 ms or above ten years
     */
    public TimeoutPolicy with(TimeoutClass timeoutClass, Duration limit) {
        Objects.requireNonNull(timeoutClass, "timeoutClass");
        Map<TimeoutClass, Duration> copy = new EnumMap<>(idle);
        copy.put(timeoutClass, checked(timeoutClass.name(), limit));
        return new TimeoutPolicy(copy, connect, firstByte, eventSilence, total, classifier);
    }

    /**
     * The same policy with another connect limit: name look-up, TCP and TLS together, per attempt.
     *
     * @param limit {@link Duration#ZERO} for none
     */
    public TimeoutPolicy withConnect(Duration limit) {
        return new TimeoutPolicy(idle, checked("connect", limit), firstByte, eventSilence, total, classifier);
    }

    /**
     * The same policy with a limit of its own for the wait for the response head, shorter or longer than those of the
     * classes: until the head is complete it replaces the class's limit, which applies again afterwards. Each
     * connection to an upstream starts it, and request-body bytes that the upstream takes restart it; interim responses
     * and bytes of the head don't. When it passes, the client gets 504, or 408 if the proxy waits for the rest of its
     * request body. The wait for an authenticator or a filter has this limit too. The total limit and the deadline of a
     * gRPC call still apply.
     *
     * @param limit {@link Duration#ZERO}, the default, for no separate limit: the class's limit applies
     */
    public TimeoutPolicy withFirstByte(Duration limit) {
        return new TimeoutPolicy(idle, connect, checked("firstByte", limit), eventSilence, total, classifier);
    }

    /**
     * The same policy with a limit of the time between two events of an event stream: a response of
     * {@code text/event-stream} whose upstream only sends comments, such as {@code : ping}, or blank lines is cut when
     * it passes. It starts with the response head; each line with a field restarts it, and so does the end of an event.
     * It applies in addition to the class's limit, which comments keep restarting. It doesn't apply to a response with
     * {@code Content-Encoding}, which the proxy can't parse. An event counts when the client takes it, so a client that
     * stops reading is cut too.
     *
     * @param limit {@link Duration#ZERO}, the default, for none: comments count as any other bytes
     */
    public TimeoutPolicy withEventSilence(Duration limit) {
        return new TimeoutPolicy(idle, connect, firstByte, checked("eventSilence", limit), total, classifier);
    }

    /**
     * The same policy with a limit of the whole exchange, from its request head to the last byte of its response, even
     * while bytes move. It may seem safer than an idle limit, but it cuts healthy transfers, so there is none by
     * default. A WebSocket is under it only until its 101.
     *
     * @param limit {@link Duration#ZERO} for none
     */
    public TimeoutPolicy withTotal(Duration limit) {
        return new TimeoutPolicy(idle, connect, firstByte, eventSilence, checked("total", limit), classifier);
    }

    /** The same policy with another classifier. */
    public TimeoutPolicy withClassifier(TimeoutClassifier other) {
        return new TimeoutPolicy(
                idle, connect, firstByte, eventSilence, total, Objects.requireNonNull(other, "classifier"));
    }

    /**
     * The same policy with more path fragments that mean {@link TimeoutClass#LONG}, found anywhere in the path. This
     * and the next methods change the lists of the {@linkplain TimeoutClassifier#standard() standard} classifier.
     *
     * @throws IllegalStateException if the policy has a classifier of one's own, which has no such lists
     */
    public TimeoutPolicy plusLongPaths(String... fragments) {
        return withClassifier(lists().plusLongPaths(fragments));
    }

    /**
     * The same policy with other path fragments that mean {@link TimeoutClass#LONG}; the model servers' paths no longer
     * count.
     */
    public TimeoutPolicy withLongPaths(List<String> fragments) {
        return withClassifier(lists().withLongPaths(fragments));
    }

    /**
     * The same policy with more media types, without parameters, that mean {@link TimeoutClass#LONG} in {@code Accept}
     * and {@code Content-Type}.
     */
    public TimeoutPolicy plusLongTypes(String... types) {
        return withClassifier(lists().plusLongTypes(types));
    }

    /**
     * The same policy with other media types, without parameters, that mean {@link TimeoutClass#LONG} in {@code Accept}
     * and {@code Content-Type}.
     */
    public TimeoutPolicy withLongTypes(Set<String> types) {
        return withClassifier(lists().withLongTypes(types));
    }

    /** The same policy with more whole path segments that mean {@link TimeoutClass#DOWNLOAD}, given without slashes. */
    public TimeoutPolicy plusDownloadSegments(String... segments) {
        return withClassifier(lists().plusDownloadSegments(segments));
    }

    /**
     * The same policy with other whole path segments that mean {@link TimeoutClass#DOWNLOAD}, given without slashes.
     */
    public TimeoutPolicy withDownloadSegments(Set<String> segments) {
        return withClassifier(lists().withDownloadSegments(segments));
    }

    /** The same policy with more file extensions that mean {@link TimeoutClass#DOWNLOAD}, given without the dot. */
    public TimeoutPolicy plusDownloadExtensions(String... extensions) {
        return withClassifier(lists().plusDownloadExtensions(extensions));
    }

    /** The same policy with other file extensions that mean {@link TimeoutClass#DOWNLOAD}, given without the dot. */
    public TimeoutPolicy withDownloadExtensions(Set<String> extensions) {
        return withClassifier(lists().withDownloadExtensions(extensions));
    }

    private StandardClassifier lists() {
        if (classifier instanceof StandardClassifier standard) {
            return standard;
        }
        throw new IllegalStateException(
                "classifier: one of your own (expected: the standard one, which has lists of paths and types)");
    }

    /** The idle limit of a class; {@link Duration#ZERO} means no limit. */
    public Duration idle(TimeoutClass timeoutClass) {
        return Objects.requireNonNull(idle.get(Objects.requireNonNull(timeoutClass, "timeoutClass")));
    }

    /** The connect limit; {@link Duration#ZERO} means no limit. */
    public Duration connect() {
        return connect;
    }

    /** The limit until the response head; {@link Duration#ZERO} means that of the class. */
    public Duration firstByte() {
        return firstByte;
    }

    /** The limit between two events of an event stream; {@link Duration#ZERO} means no limit. */
    public Duration eventSilence() {
        return eventSilence;
    }

    /** The limit of a whole exchange; {@link Duration#ZERO} means no limit. */
    public Duration total() {
        return total;
    }

    /** The classifier. */
    public TimeoutClassifier classifier() {
        return classifier;
    }

    /** The one of the two classes that waits longer; no limit is the longest, and a tie keeps {@code current}. */
    public TimeoutClass longer(TimeoutClass current, TimeoutClass other) {
        Duration now = idle(current);
        Duration then = idle(other);
        if (now.isZero()) {
            return current;
        }
        return then.isZero() || then.compareTo(now) > 0 ? other : current;
    }

    private static Duration checked(String name, Duration limit) {
        Objects.requireNonNull(limit, "limit");
        if (limit.isNegative() || limit.compareTo(LONGEST) > 0 || (!limit.isZero() && limit.toMillis() < 1)) {
            throw new IllegalArgumentException(
                    "timeouts." + name + ": " + limit + " (expected: 0 for no limit, or 1 ms to 3650 days)");
        }
        return limit;
    }

    @Override
    public String toString() {
        return "TimeoutPolicy" + idle + ", connect=" + connect + ", firstByte=" + firstByte + ", eventSilence="
                + eventSilence + ", total=" + total;
    }
}
