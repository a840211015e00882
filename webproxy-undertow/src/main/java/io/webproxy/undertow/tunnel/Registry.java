package io.webproxy.undertow.tunnel;

import io.webproxy.spi.HostPattern;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The names and ports that agents have announced, with their channels. An exact name wins over a wildcard.
 * Announcements of a lost channel are remembered for a minute, so that visitors wait for the agent; in the first
 * seconds of a server the same holds for everything that an agent may announce.
 *
 * <p>Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class Registry {
    /** The longest duration of an announcement. */
    static final long MOST_SECONDS = TimeUnit.DAYS.toSeconds(7);

    private static final long KNOWN_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** Agents reconnect within 3 s; the rest is for their handshakes. */
    private static final long AFTER_START_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How many announcements an agent may have, over all its channels and within the last minute. */
    static final int MOST_ITEMS = 4096;

    private final Map<Message.Item, Entry> all = new ConcurrentHashMap<>();
    /** Number of announcements by agent's fingerprint. */
    private final Map<String, Integer> owned = new HashMap<>();

    /** Announcements that agents have withdrawn since the start; kept as long as everything is waited for. */
    private final Set<Message.Item> takenBack = ConcurrentHashMap.newKeySet();

    private final LongSupplier nanoClock;
    private final long start;
    private final Predicate<HostPattern> takenHere;
    private final Agents agents;

    /** One announcement on one channel. */
    private record Offering(AgentChannel channel, long until) {}

    /** A name or port with its channels. */
    static final class Entry {
        private final Message.Item item;
        /** Fingerprint of the agent that announced it first. */
        private final String owner;

        private volatile List<Offering> offerings = List.of();
        private volatile long lastSeen;

        Entry(Message.Item item, String owner, long now) {
            this.item = item;
            this.owner = owner;
            this.lastSeen = now - KNOWN_NANOS;
        }

        /** As it was announced. */
        Message.Item item() {
            return item;
        }

        /** The channels that can be asked now. */
        List<AgentChannel> channels(long now) {
            List<Offering> current = offerings;
            if (current.size() == 1 && current.get(0).until == Long.MAX_VALUE) {
                return List.of(current.get(0).channel);
            }
            return current.stream()
                    .filter(offering -> offering.until == Long.MAX_VALUE || now - offering.until < 0)
                    .map(Offering::channel)
                    .toList();
        }
    }

    /**
     * An empty registry.
     *
     * @param takenHere whether a name is served by a rule, a route or a certificate of the same server
     */
    Registry(Agents agents, Predicate<HostPattern> takenHere, LongSupplier nanoClock) {
        this.agents = agents;
        this.takenHere = takenHere;
        this.nanoClock = nanoClock;
        this.start = nanoClock.getAsLong();
    }

    /** The item for a client's server name, in lower case and without a final dot. */
    static Message.Item named(String serverName) {
        return Message.Item.name(HostPattern.hostOf(serverName));
    }

    /** The entry for a name or port, current or remembered; null if there is none. */
    @Nullable Entry find(Message.Item wanted, long now) {
        Entry exact = all.get(wanted);
        if (exact != null && isKnown(exact, now)) {
            return exact;
        }
        if (wanted.kind() != Message.Kind.NAME) {
            return null;
        }
        int dot = wanted.name().indexOf('.');
        Entry wildcard =
                dot <= 0 ? null : all.get(Message.Item.name("*" + wanted.name().substring(dot)));
        return wildcard != null && isKnown(wildcard, now) ? wildcard : null;
    }

    private static boolean isKnown(Entry entry, long now) {
        return !entry.channels(now).isEmpty() || now - entry.lastSeen < KNOWN_NANOS;
    }

    /** Whether the server is so young that the agent that may announce this can't have connected yet. */
    boolean isAwaited(Message.Item wanted, long now) {
        if (now - start >= AFTER_START_NANOS || isTakenBack(wanted)) {
            return false;
        }
        if (wanted.kind() == Message.Kind.PORT) {
            return agents.all().stream().anyMatch(agent -> agent.allows(wanted.port()));
        }
        HostPattern name;
        try {
            name = HostPattern.of(wanted.name());
        } catch (IllegalArgumentException e) {
            return false;
        }
        return agents.all().stream().anyMatch(agent -> agent.allows(name)) && !takenHere.test(name);
    }

    private boolean isTakenBack(Message.Item wanted) {
        int dot = wanted.name().indexOf('.');
        return takenBack.contains(wanted)
                || (dot > 0
                        && takenBack.contains(
                                Message.Item.name("*" + wanted.name().substring(dot))));
    }

    /** Whether the server itself serves a name that an agent has announced by a wildcard: the server wins. */
    boolean isTakenHere(Entry found, Message.Item wanted) {
        if (found.item.equals(wanted)) {
            return false;
        }
        try {
            return takenHere.test(HostPattern.of(wanted.name()));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Decides about an offer; the caller opens a port first. */
    synchronized Message.Verdict announce(AgentChannel channel, AgentEntry agent, Message.Offer offer) {
        return decide(channel, agent, offer, true);
    }

    /** What would be decided about an offer now. */
    synchronized Message.Verdict check(AgentChannel channel, AgentEntry agent, Message.Offer offer) {
        return decide(channel, agent, offer, false);
    }

    private Message.Verdict decide(AgentChannel channel, AgentEntry agent, Message.Offer offer, boolean announce) {
        if (offer.seconds() > MOST_SECONDS) {
            return new Message.Verdict(
                    Message.Verdict.MALFORMED, offer.seconds() + " s (expected: at most " + MOST_SECONDS + " s)");
        }
        Message.Item item;
        if (offer.item().kind() == Message.Kind.NAME) {
            HostPattern pattern;
            try {
                pattern = AgentsFile.pattern(offer.item().name());
            } catch (IllegalArgumentException e) {
                return new Message.Verdict(Message.Verdict.MALFORMED, String.valueOf(e.getMessage()));
            }
            if (!agent.allows(pattern)) {
                return notAllowed(pattern.toString(), agent);
            }
            if (takenHere.test(pattern)) {
                return new Message.Verdict(Message.Verdict.TAKEN, pattern + " is served by the public server itself");
            }
            item = Message.Item.name(pattern.toString());
        } else {
            item = offer.item();
            if (item.port() == 0) {
                return new Message.Verdict(Message.Verdict.MALFORMED, "port 0 (expected: 1-65535)");
            }
            if (!agent.allows(item.port())) {
                return notAllowed(item.toString(), agent);
            }
        }
        long now = nanoClock.getAsLong();
        Entry entry = all.get(item);
        if (entry == null && owned.getOrDefault(agent.fingerprint(), 0) >= MOST_ITEMS) {
            return new Message.Verdict(
                    Message.Verdict.NOT_ALLOWED, "too many announcements (expected: at most " + MOST_ITEMS + ")");
        }
        for (AgentChannel other : entry == null ? List.<AgentChannel>of() : entry.channels(now)) {
            if (!other.fingerprint().equals(agent.fingerprint()) && !(agent.shared() && other.isShared())) {
                return new Message.Verdict(Message.Verdict.TAKEN, item + " is announced by another agent");
            }
        }
        if (announce) {
            put(entry == null ? added(item, agent.fingerprint(), now) : entry, channel, offer, now);
        }
        return new Message.Verdict(Message.Verdict.ACCEPTED, "");
    }

    private Entry added(Message.Item item, String fingerprint, long now) {
        Entry entry = new Entry(item, fingerprint, now);
        all.put(item, entry);
        owned.merge(fingerprint, 1, Integer::sum);
        return entry;
    }

    private void gone(Entry entry) {
        owned.computeIfPresent(entry.owner, (same, count) -> count == 1 ? null : count - 1);
    }

    private void put(Entry entry, AgentChannel channel, Message.Offer offer, long now) {
        List<Offering> next = without(entry, channel);
        next.add(new Offering(
                channel, offer.seconds() == 0 ? Long.MAX_VALUE : now + TimeUnit.SECONDS.toNanos(offer.seconds())));
        entry.offerings = List.copyOf(next);
        takenBack.remove(entry.item);
    }

    private static Message.Verdict notAllowed(String what, AgentEntry agent) {
        return new Message.Verdict(
                Message.Verdict.NOT_ALLOWED, what + " isn't among what the agents file allows " + agent.name());
    }

    private static List<Offering> without(Entry entry, AgentChannel channel) {
        List<Offering> left = new ArrayList<>(entry.offerings);
        left.removeIf(offering -> offering.channel == channel);
        return left;
    }

    /** A channel withdraws announcements: they aren't waited for. */
    synchronized void withdraw(AgentChannel channel, Collection<Message.Item> items) {
        for (Message.Item item : items) {
            Message.Item normal = item.kind() == Message.Kind.NAME ? named(item.name()) : item;
            Entry entry = all.get(normal);
            List<Offering> left = entry == null ? List.of() : without(entry, channel);
            // a channel can't withdraw what others have announced
            if (entry != null && left.size() < entry.offerings.size()) {
                entry.offerings = List.copyOf(left);
                entry.lastSeen = nanoClock.getAsLong() - KNOWN_NANOS;
                if (left.isEmpty()) {
                    takenBack.add(entry.item);
                }
            }
        }
    }

    /** A channel said goodbye: its announcements aren't waited for. */
    synchronized void left(AgentChannel channel) {
        withdraw(channel, of(channel));
    }

    /** A channel was lost: its announcements are remembered. */
    synchronized void lost(AgentChannel channel) {
        long now = nanoClock.getAsLong();
        for (Entry entry : all.values()) {
            List<Offering> left = without(entry, channel);
            if (left.size() < entry.offerings.size()) {
                entry.offerings = List.copyOf(left);
                entry.lastSeen = now;
            }
        }
    }

    /** Removes names that the server now serves itself; returns one for each channel that had announced some. */
    synchronized Map<AgentChannel, Message.Item> dropTaken() {
        Map<AgentChannel, Message.Item> lost = new HashMap<>();
        for (Entry entry : all.values()) {
            if (entry.item.kind() == Message.Kind.NAME && takenHere.test(HostPattern.of(entry.item.name()))) {
                entry.offerings.forEach(offering -> lost.put(offering.channel, entry.item));
                entry.offerings = List.of();
                entry.lastSeen = nanoClock.getAsLong() - KNOWN_NANOS;
            }
        }
        return lost;
    }

    /** An agent was removed: its announcements aren't waited for. */
    synchronized void removed(String fingerprint) {
        long now = nanoClock.getAsLong();
        for (Entry entry : all.values()) {
            List<Offering> left = new ArrayList<>(entry.offerings);
            boolean changed =
                    left.removeIf(offering -> offering.channel.fingerprint().equals(fingerprint));
            if (changed || entry.owner.equals(fingerprint)) {
                entry.offerings = List.copyOf(left);
                entry.lastSeen = now - KNOWN_NANOS;
            }
        }
    }

    /** Forgets what hasn't been announced for a minute; returns the ports among it. */
    synchronized List<Integer> forget() {
        long now = nanoClock.getAsLong();
        List<Integer> ports = new ArrayList<>();
        if (now - start >= AFTER_START_NANOS) {
            takenBack.clear();
        }
        all.values().removeIf(entry -> {
            boolean gone = !isKnown(entry, now);
            if (gone) {
                gone(entry);
            }
            if (gone && entry.item.kind() == Message.Kind.PORT) {
                ports.add(entry.item.port());
            }
            return gone;
        });
        return ports;
    }

    /** Whether a port is announced or remembered. */
    boolean has(Message.Item item) {
        return all.containsKey(item);
    }

    /** The current announcements of a channel. */
    List<Message.Item> of(AgentChannel channel) {
        return all.values().stream()
                .filter(entry -> entry.offerings.stream().anyMatch(offering -> offering.channel == channel))
                .map(Entry::item)
                .toList();
    }
}
