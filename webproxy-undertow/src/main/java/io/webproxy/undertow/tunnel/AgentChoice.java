package io.webproxy.undertow.tunnel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Chooses which of an agent's processes to ask next for a visitor. Not thread-safe. */
final class AgentChoice {
    /** Channels whose agent has said that it doesn't serve the visitor. */
    private Set<AgentChannel> failed = Set.of();
    /** Channels that lost a data connection without a word of the agent; one entry for each loss. */
    private final List<AgentChannel> troubled = new ArrayList<>(1);

    /** A channel refused the visitor, or lost a data connection. */
    void failed(AgentChannel channel, boolean byAgent) {
        if (byAgent) {
            failed = new HashSet<>(failed);
            failed.add(channel);
        } else {
            troubled.add(channel);
        }
    }

    /**
     * The best of the channels that haven't refused and aren't being asked already, if there is another: one that
     * answered recently, then with the fewest failures, then with the fewest relays. Null if all have refused.
     */
    @Nullable AgentChannel of(List<AgentChannel> channels, List<Claim.Attempt> attempts, long now) {
        AgentChannel best = null;
        for (AgentChannel channel : channels) {
            if (!failed.contains(channel) && (best == null || isBetter(channel, best, attempts, now))) {
                best = channel;
            }
        }
        return best;
    }

    private boolean isBetter(AgentChannel one, AgentChannel other, List<Claim.Attempt> attempts, long now) {
        boolean asked = isAsked(one, attempts);
        if (asked != isAsked(other, attempts)) {
            return !asked;
        }
        boolean suspect = one.isSuspect(now);
        if (suspect != other.isSuspect(now)) {
            return !suspect;
        }
        int more = Collections.frequency(troubled, one) - Collections.frequency(troubled, other);
        return more == 0 ? one.load() < other.load() : more < 0;
    }

    private static boolean isAsked(AgentChannel channel, List<Claim.Attempt> attempts) {
        return attempts.stream().anyMatch(attempt -> attempt.channel() == channel);
    }
}
