package io.webproxy.undertow.tunnel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which of several processes of agents a visitor's hand-over asks next. Not thread-safe. */
final class AgentChoice {
    /** Those that have said that they don't serve it. */
    private Set<AgentChannel> failed = Set.of();
    /** Those of whose data connections one has failed, without a word of the agent; each as often as that. */
    private final List<AgentChannel> troubled = new ArrayList<>(1);

    /** One doesn't serve the visitor, or has lost a data connection. */
    void failed(AgentChannel channel, boolean byAgent) {
        if (byAgent) {
            failed = new HashSet<>(failed);
            failed.add(channel);
        } else {
            troubled.add(channel);
        }
    }

    /**
     * The one that has answered of late, then with the fewest failures, then relays, of those that haven't refused, and
     * that aren't being asked if there is another; null if all have refused.
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
