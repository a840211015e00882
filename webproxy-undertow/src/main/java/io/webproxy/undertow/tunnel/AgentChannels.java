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
 * The control channels of a public side: those before their hello, those that are open, and the last status of agents
 * without one. Thread-safe.
 */
final class AgentChannels {
    /** How many channels may wait for their hello. */
    private static final int MOST_WAITING = 256;

    /** How many channels, each of another instance, an agent may have. */
    private volatile int mostOfAgent = 64;

    private volatile boolean leaving;

    /** Channels before their hello, the oldest first. */
    private final Set<AgentChannel> waiting = new LinkedHashSet<>();

    private final Set<AgentChannel> open = ConcurrentHashMap.newKeySet();

    /** The last status of each agent's last closed channel, by fingerprint. */
    private final Map<String, TunnelStatus.Agent> left = new ConcurrentHashMap<>();

    /**
     * A channel has opened, and waits for its hello.
     *
     * @return the oldest waiting one if there are too many, to be closed
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

    /** A channel has sent its hello, or is closed. */
    void greeted(AgentChannel channel) {
        synchronized (waiting) {
            waiting.remove(channel);
        }
    }

    /**
     * Adds a channel after its hello.
     *
     * @return older channels of the same instance of the agent, to be closed; null if the agent has too many, or no
     *     more may open
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

    /** An open channel is closed. */
    void closed(AgentChannel channel, String reason) {
        left.put(channel.fingerprint(), channel.status(Optional.of(reason)));
        open.remove(channel);
    }

    /** The open channels; the set changes while it is used. */
    Set<AgentChannel> open() {
        return open;
    }

    /** The channels before their hello. */
    List<AgentChannel> waiting() {
        synchronized (waiting) {
            return List.copyOf(waiting);
        }
    }

    /**
     * Lets no more channels open.
     *
     * @return the open ones
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

    /** Forgets agents that the file no longer lists. */
    void keepAgents(Agents agents) {
        left.keySet().removeIf(fingerprint -> agents.find(fingerprint) == null);
    }

    /** The status of the open channels, and the last status of agents without one. */
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
