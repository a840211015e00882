package io.webproxy.undertow.tunnel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/**
 * The attempts to get one visitor's data connection from agents: the pending ones, the next agent, and the last
 * failure. Not thread-safe: it belongs to the visitor's IO thread.
 */
final class AgentAttempts {
    /** How long to wait before the next agent, or the next connection, is tried in parallel. */
    private static final long NEXT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final int MOST = 8;

    private final HandOver handOver;
    private final PublicSide side;
    private final List<Claim.Attempt> open = new ArrayList<>();
    private final AgentChoice choice = new AgentChoice();
    private String lastFailure = "no agent has come";
    private int made;
    private long lastAsked;

    AgentAttempts(HandOver handOver, PublicSide side) {
        this.handOver = handOver;
        this.side = side;
    }

    /** Whether no attempt is pending. */
    boolean isEmpty() {
        return open.isEmpty();
    }

    /** Whether no agent was asked yet. */
    boolean isFirst() {
        return made == 0;
    }

    /** Why the last one failed, for the log. */
    String lastFailure() {
        return lastFailure.isEmpty() ? "no acknowledgement within 10 s" : lastFailure;
    }

    /** When the next attempt is due, in the sweeper's nanoseconds. */
    long nextAt() {
        return lastAsked + NEXT_NANOS;
    }

    /** The next agent to ask; null if all have refused, or enough were asked. */
    @Nullable AgentChannel choose(List<AgentChannel> channels, long now) {
        return made >= MOST ? null : choice.of(channels, open, now);
    }

    /** Asks an agent: it uses a ready connection, or opens one. */
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

    /** If a ready connection doesn't answer, the agent's others become suspect. */
    private boolean isFirstOf(AgentChannel channel) {
        return open.stream().filter(other -> other.channel() == channel).count() == 1;
    }

    /** An agent has connected to its target. */
    void acknowledged(Claim.Attempt attempt) {
        open.remove(attempt);
        attempt.channel().answered(attempt);
    }

    /**
     * An agent refused the visitor, or its data connection was lost.
     *
     * @return whether the attempt was pending
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

    /** The pending attempts weren't answered in time; they still may be. */
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
