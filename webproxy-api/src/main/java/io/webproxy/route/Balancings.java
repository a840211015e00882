package io.webproxy.route;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** The library's balancings. */
final class Balancings {
    private Balancings() {}

    /** Round robin. Equal by type: a group that equals one in force continues its turns. */
    static final class RoundRobin implements Balancing {
        private final AtomicInteger turn = new AtomicInteger();

        @Override
        public int choose(Choice choice) {
            return Math.floorMod(turn.getAndIncrement(), choice.count());
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof RoundRobin;
        }

        @Override
        public int hashCode() {
            return RoundRobin.class.hashCode();
        }

        @Override
        public String toString() {
            return "roundRobin";
        }
    }

    /** The one with the fewest requests in flight. Also equal by type. */
    static final class LeastConnections implements Balancing {
        private final AtomicInteger turn = new AtomicInteger();

        @Override
        public int choose(Choice choice) {
            int count = choice.count();
            int first = Math.floorMod(turn.getAndIncrement(), count);
            int best = first;
            int least = choice.inFlight(first);
            for (int i = 1; i < count && least > 0; i++) {
                int index = (first + i) % count;
                int inFlight = choice.inFlight(index);
                if (inFlight < least) {
                    best = index;
                    least = inFlight;
                }
            }
            return best;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof LeastConnections;
        }

        @Override
        public int hashCode() {
            return LeastConnections.class.hashCode();
        }

        @Override
        public String toString() {
            return "leastConnections";
        }
    }

    /** By the hash of a field's value; without a value, the one with the fewest requests in flight. */
    static final class HeaderHash implements Balancing {
        private final String name;
        private final Balancing others = new LeastConnections();

        HeaderHash(String name) {
            this.name = name;
        }

        @Override
        public int choose(Choice choice) {
            List<String> values = choice.request().headers(name);
            if (values.isEmpty() || values.get(0).isEmpty()) {
                return others.choose(choice);
            }
            byte[] value = values.get(0).getBytes(StandardCharsets.UTF_8);
            return byHash(choice, hash(value, value.length));
        }
    }

    /** Balancings without state. */
    enum Stateless implements Balancing {
        POWER_OF_TWO_CHOICES("powerOfTwoChoices") {
            @Override
            public int choose(Choice choice) {
                return lesserOfTwo(choice);
            }
        },
        FAILOVER("failover") {
            @Override
            public int choose(Choice choice) {
                return 0;
            }
        },
        CLIENT_ADDRESS_HASH("clientAddressHash") {
            @Override
            public int choose(Choice choice) {
                return byClientAddress(choice);
            }
        };

        private final String text;

        Stateless(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static int lesserOfTwo(Balancing.Choice choice) {
        ThreadLocalRandom lot = ThreadLocalRandom.current();
        int one = lot.nextInt(choice.count());
        int other = lot.nextInt(choice.count() - 1);
        if (other >= one) {
            other++;
        }
        return choice.inFlight(other) < choice.inFlight(one) ? other : one;
    }

    private static int byClientAddress(Balancing.Choice choice) {
        byte[] address = choice.request().clientAddress().getAddress();
        // an IPv6 network of 64 bits usually belongs to one customer
        return byHash(choice, hash(address, Math.min(address.length, 8)));
    }

    /** Rendezvous hashing: when an upstream is added or removed, only the affected clients move. */
    private static int byHash(Balancing.Choice choice, long key) {
        int best = 0;
        long highest = Long.MIN_VALUE;
        for (int i = 0; i < choice.count(); i++) {
            long weight = mixed(key ^ choice.upstream(i).place());
            if (weight > highest) {
                highest = weight;
                best = i;
            }
        }
        return best;
    }

    /**
     * The same in every JVM, so that several servers in front of the same upstreams agree (FNV-1a, 64 bits, then
     * mixed).
     */
    static long hash(byte[] bytes, int length) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < length; i++) {
            hash = (hash ^ (bytes[i] & 0xff)) * 0x100000001b3L;
        }
        return mixed(hash);
    }

    /** Spreads differences in a few bits over all of them (the finaliser of SplitMix64). */
    private static long mixed(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
