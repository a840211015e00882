package io.webproxy.undertow.tunnel;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.UUID;

/**
 * What is said on a control channel; {@link Frames} writes it, {@link FrameReader} reads it. Immutable, except that
 * arrays are shared.
 */
sealed interface Message {
    /** What an announcement is of. */
    enum Kind {
        /** A server name of TLS clients, or all names one level below a domain. */
        NAME(0),
        /** A port of the public side. */
        PORT(1);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** The byte that says it. */
        int code() {
            return code;
        }
    }

    /**
     * What is announced.
     *
     * @param name for {@link Kind#NAME}, as it was sent: to be checked by who reads it; else empty
     * @param port for {@link Kind#PORT}; else 0
     */
    record Item(Kind kind, String name, int port) {
        static Item name(String name) {
            return new Item(Kind.NAME, name, 0);
        }

        static Item port(int port) {
            return new Item(Kind.PORT, "", port);
        }

        @Override
        public String toString() {
            return kind == Kind.NAME ? name : "tcp:" + port;
        }
    }

    /**
     * An item, and for how long.
     *
     * @param seconds 0 for as long as the channel lasts
     */
    record Offer(Item item, long seconds) {}

    /**
     * What becomes of an offer.
     *
     * @param code as in HTTP: 200 accepted, 400 malformed, 403 not allowed, 409 taken
     * @param text why; empty if it is accepted
     */
    record Verdict(int code, String text) {
        static final int ACCEPTED = 200;
        static final int MALFORMED = 400;
        static final int NOT_ALLOWED = 403;
        static final int TAKEN = 409;

        boolean isAccepted() {
            return code == ACCEPTED;
        }
    }

    /**
     * Who wants to be connected.
     *
     * @param item what was announced
     * @param name what the client asks for; empty for a port
     * @param client its address
     * @param local the address that it has reached
     */
    record Visitor(Item item, String name, InetSocketAddress client, InetSocketAddress local) {}

    /** The agent's first word. */
    record Hello(int version, long capabilities, UUID instance, String software) implements Message {}

    /** The public side's first word: what both can do, and whom it takes the agent for. */
    record Welcome(int version, long capabilities, String agent, String software) implements Message {}

    /** The agent offers names and ports. */
    record Announce(int sequence, List<Offer> offers) implements Message {
        /** Makes the list immutable. */
        public Announce {
            offers = List.copyOf(offers);
        }
    }

    /** The answer to an {@link Announce}: one verdict for each offer, in its order. */
    record Result(int sequence, List<Verdict> verdicts) implements Message {
        /** Makes the list immutable. */
        public Result {
            verdicts = List.copyOf(verdicts);
        }
    }

    /** The agent takes offers back. */
    record Withdraw(List<Item> items) implements Message {
        /** Makes the list immutable. */
        public Withdraw {
            items = List.copyOf(items);
        }
    }

    /** The public side wants a data connection for a visitor. */
    @SuppressWarnings("ArrayRecordComponent") // read once, never compared
    record Connect(long id, byte[] token, Visitor visitor) implements Message {}

    /** The public side wants a data connection for whoever comes next. */
    @SuppressWarnings("ArrayRecordComponent") // read once, never compared
    record Ready(long id, byte[] token) implements Message {}

    /** A ready connection gets its visitor. */
    record Use(long id, Visitor visitor) implements Message {}

    /** The agent doesn't serve a {@link Connect}, {@link Ready} or {@link Use}. */
    record Refuse(long id, String text) implements Message {}

    /** The public side has no use any more for what it asked for. */
    record Drop(long id) implements Message {}

    /** Each side asks whether the other is there. */
    record Ping(long number) implements Message {}

    /** The answer to a {@link Ping}. */
    record Pong(long number) implements Message {}

    /**
     * The last word: why the sender closes the channel.
     *
     * @param code 0, 400 or 403 as in a verdict, or {@link #BACK_SOON}
     */
    record Goodbye(int code, String text) implements Message {
        /** An agent that connects again at once: its names are waited for. */
        static final int BACK_SOON = 503;
    }

    /** Something that a later version may say to one that doesn't know it. */
    record Unknown(int type) implements Message {}
}
