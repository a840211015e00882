package io.webproxy.undertow.upstream;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Schedules repeated look-ups of names whose addresses couldn't be connected: at most once a second for each, and one
 * look-up for all waiting requests. Thread-safe.
 */
final class LookAgain {
    private static final long REST_NANOS = 1_000_000_000L;
    private static final int MOST = 4096;

    private final Map<String, Round> rounds = new HashMap<>();

    /** The last look-up of a name. */
    private static final class Round {
        private final long time;
        private final int number;
        private @Nullable List<Consumer<List<InetAddress>>> waiting = new ArrayList<>();

        Round(long time, int number) {
            this.time = time;
            this.number = number;
        }
    }

    /** What the caller has to do. */
    enum Answer {
        /** Look the name up, and then call {@link #take}. */
        LOOK_UP,
        /** Nothing: a look-up is in progress, and its result will be passed on. */
        WAIT,
        /** Use the cached addresses: it is too early for another look-up. */
        REST
    }

    /** Asks for a name; {@code whoever} is returned by {@link #take}, unless the answer is {@link Answer#REST}. */
    synchronized Answer ask(String host, long now, Consumer<List<InetAddress>> whoever) {
        Round last = rounds.get(host);
        if (last != null && last.waiting != null) {
            last.waiting.add(whoever);
            return Answer.WAIT;
        }
        if (last != null ? now - last.time < REST_NANOS : !hasRoom(now)) {
            return Answer.REST;
        }
        Round next = new Round(now, last == null ? 0 : last.number + 1);
        if (next.waiting != null) {
            next.waiting.add(whoever);
        }
        rounds.put(host, next);
        return Answer.LOOK_UP;
    }

    private boolean hasRoom(long now) {
        if (rounds.size() >= MOST) {
            rounds.values().removeIf(round -> round.waiting == null && now - round.time >= REST_NANOS);
        }
        return rounds.size() < MOST;
    }

    /** The spelling to use for this look-up. */
    synchronized String spelling(String host) {
        Round round = rounds.get(host);
        return Spelling.of(host, round == null ? 0 : round.number);
    }

    /** The look-up is done: returns those that wait for it. */
    synchronized List<Consumer<List<InetAddress>>> take(String host) {
        Round round = rounds.get(host);
        List<Consumer<List<InetAddress>>> waiting = round == null ? null : round.waiting;
        if (round != null) {
            round.waiting = null;
        }
        return waiting == null ? List.of() : waiting;
    }
}
