package io.webproxy.undertow.tunnel;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.UUID;

/**
 * A message on a control channel; {@link Frames} encodes it, {@link FrameReader} parses it. Immutable, except that
 * arrays are shared.
 */
sealed interface Message {
    /** What is announced. */
    enum Kind {
        /** A server name of TLS clients, or all names one level below a domain. */
        NAME(0),
        /** A port of the public side. */
        PORT(1);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** The byte that encodes it. */
        int code() {
            return code;
        }
    }

    /**
     * Something that is announced.
     *
     * @param name for {@link Kind#NAME}, as received, to be checked by the reader; else empty
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
     * An item that is offered, and for how long.
     *
     * @param seconds in seconds; 0 for as long as the channel lasts
     */
    record Offer(Item item, long seconds) {}

    /**
     * The answer to an offer.
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
     * A client that wants to be connected.
     *
     * @param item what was announced
     * @param name the name that the client asks for; empty for a port
     * @param client the client's address
     * @param local the server address that it connected to
     */
    record Visitor(Item item, String name, InetSocketAddress client, InetSocketAddress local) {}

    /** The agent's first message. */
    record Hello(int version, long capabilities, UUID instance, String software) implements Message {}

    /** The public side's first message: what both can do, and the agent's name there. */
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

    /** The public side requests a data connection for a visitor. */
    @SuppressWarnings("ArrayRecordComponent") // read once, never compared
    record Connect(long id, byte[] token, Visitor visitor) implements Message {}

    /** The public side requests a ready connection, for a later visitor. */
    @SuppressWarnings("ArrayRecordComponent") // read once, never compared
    record Ready(long id, byte[] token) implements Message {}

    /** A ready connection gets its visitor. */
    record Use(long id, Visitor visitor) implements Message {}

    /** The agent refuses a {@link Connect}, {@link Ready} or {@link Use}. */
    record Refuse(long id, String text) implements Message {}

    /** The public side no longer needs what it requested. */
    record Drop(long id) implements Message {}

    /** Asks whether the peer is alive. */
    record Ping(long number) implements Message {}

    /** The answer to a {@link Ping}. */
    record Pong(long number) implements Message {}

    /**
     * The last message: why the sender closes the channel.
     *
     * @param code 0, 400 or 403 as in a verdict, or {@link #BACK_SOON}
     */
    record Goodbye(int code, String text) implements Message {
        /** An agent that connects again at once: visitors wait for its names. */
        static final int BACK_SOON = 503;
    }

    /** A message of a later version, to be skipped. */
    record Unknown(int type) implements Message {}
}
