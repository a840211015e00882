package io.webproxy.undertow.tunnel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/**
 * The agents that are asked for one visitor's data connection: who was asked and hasn't answered, who is next, and why
 * the last one failed. Not thread-safe: it belongs to the visitor's IO thread.
 */
final class Attempts {
    /** Until the next agent, or the next connection, is tried beside the one before. */
    private static final long NEXT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final int MOST = 8;

    private final HandOver handOver;
    private final PublicSide side;
    private final List<Claim.Attempt> open = new ArrayList<>();
    private final AgentChoice choice = new AgentChoice();
    private String lastFailure = "no agent has come";
    private int made;
    private long lastAsked;

    Attempts(HandOver handOver, PublicSide side) {
        this.handOver = handOver;
        this.side = side;
    }

    /** Whether no agent is expected to answer. */
    boolean isEmpty() {
        return open.isEmpty();
    }

    /** Whether no agent was asked yet. */
    boolean isFirst() {
        return made == 0;
    }

    /** Why the last one failed, for whoever reads the log. */
    String lastFailure() {
        return lastFailure.isEmpty() ? "no acknowledgement within 10 s" : lastFailure;
    }

    /** When the next one is due after the one that was asked last, in the sweeper's nanoseconds. */
    long nextAt() {
        return lastAsked + NEXT_NANOS;
    }

    /** The agent to ask next; null if all have refused, or enough were asked. */
    @Nullable AgentChannel choose(List<AgentChannel> channels, long now) {
        return made >= MOST ? null : choice.of(channels, open, now);
    }

    /** Asks an agent: lets it use a ready connection, or open one. */
    void ask(AgentChannel channel, Message.Visitor visitor, XnioIoThread thread, long now) {
        made++;
        lastAsked = now;
        Claim.Attempt attempt = new Claim.Attempt(handOver, channel);
        open.add(attempt);
        if (isFirstOf(channel)) {
            for (DataConnection ready = channel.pool().take(thread, now);
                    ready != null;
                    ready = channel.pool().take(thread, now)) {
                if (ready.use(attempt)) {
                    channel.asked(attempt);
                    channel.send(new Message.Use(attempt.id(), visitor));
                    channel.refill(now);
                    return;
                }
            }
            channel.refill(now);
        }
        Tokens.Token token = channel.issue(attempt);
        attempt.id(token.id());
        channel.asked(attempt);
        channel.send(new Message.Connect(token.id(), token.token(), visitor));
    }

    /** A ready connection that doesn't answer makes the others suspicious. */
    private boolean isFirstOf(AgentChannel channel) {
        return open.stream().filter(other -> other.channel() == channel).count() == 1;
    }

    /** An agent has reached its target. */
    void acknowledged(Claim.Attempt attempt) {
        open.remove(attempt);
        attempt.channel().answered(attempt);
    }

    /**
     * An agent doesn't serve the visitor, or its connection is lost.
     *
     * @return whether its answer was expected
     */
    boolean failed(Claim.Attempt attempt, String reason, boolean byAgent) {
        attempt.channel().answered(attempt);
        side.tokens().drop(attempt.id());
        if (!open.remove(attempt)) {
            return false;
        }
        lastFailure = reason;
        choice.failed(attempt.channel(), byAgent);
        return true;
    }

    /** Those that were asked haven't answered in time; they may yet. */
    void silent(long now) {
        if (!open.isEmpty()) {
            lastFailure = "no acknowledgement";
            open.forEach(slow -> slow.channel().suspect(now));
        }
    }

    /** No answer is needed any more. */
    void abandon() {
        for (Claim.Attempt other : open) {
            side.tokens().drop(other.id());
            other.channel().answered(other);
            other.channel().send(new Message.Drop(other.id()));
            other.end();
        }
        open.clear();
    }
}
