package io.webproxy.undertow.tunnel;

import io.webproxy.tunnel.TunnelStatus;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The control channels of a public side: those that haven't said who they are, those that are open, and how the last
 * one of each agent was when it was closed. Thread-safe.
 */
final class AgentChannels {
    /** How many may be there that haven't said who they are. */
    private static final int MOST_WAITING = 256;

    /** How many, of as many instances, an agent may have. */
    private volatile int mostOfAgent = 64;

    private volatile boolean leaving;

    /** Those that haven't said who they are, the oldest first. */
    private final Set<AgentChannel> waiting = new LinkedHashSet<>();

    private final Set<AgentChannel> open = ConcurrentHashMap.newKeySet();

    /** The last channel of each agent, by fingerprint, as it was when it was closed. */
    private final Map<String, TunnelStatus.Agent> left = new ConcurrentHashMap<>();

    /**
     * One has come that hasn't said who it is.
     *
     * @return the oldest of these if they have become too many, to be ended
     */
    @Nullable AgentChannel accepted(AgentChannel channel) {
        synchronized (waiting) {
            waiting.add(channel);
            if (waiting.size() <= MOST_WAITING) {
                return null;
            }
            AgentChannel oldest = waiting.iterator().next();
            waiting.remove(oldest);
            return oldest;
        }
    }

    /** One has said who it is, or is over. */
    void greeted(AgentChannel channel) {
        synchronized (waiting) {
            waiting.remove(channel);
        }
    }

    /**
     * One opens.
     *
     * @return older ones of the same instance of the agent, to be ended; null if the agent has too many, or no more may
     *     open
     */
    @Nullable List<AgentChannel> open(AgentChannel channel) {
        List<AgentChannel> older = new ArrayList<>();
        synchronized (open) {
            int others = 0;
            for (AgentChannel other : open) {
                if (other.fingerprint().equals(channel.fingerprint())) {
                    if (other.instance().equals(channel.instance())) {
                        older.add(other);
                    } else {
                        others++;
                    }
                }
            }
            if (leaving || others >= mostOfAgent) {
                return null;
            }
            open.add(channel);
        }
        return older;
    }

    /** One that was open is closed. */
    void closed(AgentChannel channel, String reason) {
        left.put(channel.fingerprint(), channel.status(Optional.of(reason)));
        open.remove(channel);
    }

    /** Those that are open; changes under the caller. */
    Set<AgentChannel> open() {
        return open;
    }

    /** Those that haven't said who they are. */
    List<AgentChannel> waiting() {
        synchronized (waiting) {
            return List.copyOf(waiting);
        }
    }

    /**
     * No more open from now on.
     *
     * @return those that are open
     */
    List<AgentChannel> leave() {
        synchronized (open) {
            leaving = true;
            return List.copyOf(open);
        }
    }

    boolean isLeaving() {
        return leaving;
    }

    /** Forgets what it knows of agents that the file hasn't any more. */
    void keepAgents(Agents agents) {
        left.keySet().removeIf(fingerprint -> agents.find(fingerprint) == null);
    }

    /** Those that are open, and the last one of each agent that has none. */
    List<TunnelStatus.Agent> status() {
        List<TunnelStatus.Agent> all = new ArrayList<>();
        Set<String> present = new HashSet<>();
        for (AgentChannel channel : open) {
            present.add(channel.fingerprint());
            all.add(channel.status(Optional.empty()));
        }
        left.forEach((fingerprint, status) -> {
            if (!present.contains(fingerprint)) {
                all.add(status);
            }
        });
        all.sort(Comparator.comparing(TunnelStatus.Agent::name));
        return all;
    }

    /** For tests: how many an agent may have. */
    void mostOfAgent(int most) {
        mostOfAgent = most;
    }
}
