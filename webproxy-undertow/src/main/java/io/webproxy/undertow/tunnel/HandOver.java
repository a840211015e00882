package io.webproxy.undertow.tunnel;

import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.RelayData;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.observe.Recorder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * Hands a visitor of the public side over to an agent: asks an agent that has announced its name or port for a data
 * connection, and another one if that takes too long; the first acknowledgement wins. Not thread-safe, except where
 * noted: it belongs to the visitor's IO thread.
 */
final class HandOver extends Watched {
    /** The limit of the whole hand-over. */
    static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How long a visitor waits for an agent whose channel was lost. */
    private static final long ABSENT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Incoming incoming;
    private final StreamConnection connection;
    private final PublicSide side;
    private final Sweeper sweeper;
    private final AddressRange address;
    private final Message.Item wanted;
    private final String name;
    private final WaitingClient client;
    private final long start;
    private final Instant begun = Instant.now();
    private final AgentAttempts attempts;
    /** The agents whose waiting clients include it. */
    private final List<AgentState> countedFor = new ArrayList<>(1);

    private long next;
    /** The item that it counts for, until it has left. */
    private volatile Message.@Nullable Item counted;

    private boolean waiting = true;
    private boolean done;

    /**
     * A hand-over for a visitor.
     *
     * @param wanted the name in its ClientHello, or the port that it connected to
     * @param early bytes that were read already, to be replayed
     */
    HandOver(Incoming incoming, Message.Item wanted, ByteBuffer early, PublicSide side, Sweeper sweeper) {
        this.incoming = incoming;
        this.connection = incoming.connection();
        this.address = AddressRange.clientOf(incoming.client().getAddress());
        this.wanted = wanted;
        this.name = wanted.name();
        this.side = side;
        this.sweeper = sweeper;
        this.attempts = new AgentAttempts(this, side);
        this.start = sweeper.now();
        this.next = start;
        this.client =
                new WaitingClient(connection, early, wanted.kind() == Message.Kind.NAME, side.buffers(), this::left);
    }

    void start() {
        incoming.settled();
        connection.getSourceChannel().suspendReads();
        connection.getSourceChannel().setReadListener(null);
        connection.setCloseListener(closed -> IoTasks.execute(sweeper.thread(), this::gone));
        sweeper.watch(this);
        Guard.run(
                "a hand-over",
                () -> {
                    Registry.Entry entry = side.registry().find(wanted, start);
                    counted = entry == null ? wanted : entry.item();
                    Counts.Full full = side.counts().enter(address, counted, start);
                    if (full != null) {
                        counted = null;
                        waiting = false;
                        refuse(full.why(), full.detail());
                    } else {
                        tryNext();
                    }
                },
                () -> refuse(Refusal.FAILED, "an internal error"));
    }

    private void tryNext() {
        long now = sweeper.now();
        next = Long.MAX_VALUE;
        if (side.isLeaving()) {
            sideIsLeaving(now);
            return;
        }
        Registry.Entry entry = side.registry().find(wanted, now);
        if (entry == null) {
            if (side.registry().isAwaited(wanted, now)) {
                awaitAgent(now);
            } else {
                refuse(Refusal.UNKNOWN, "no agent has announced it");
            }
            return;
        }
        List<AgentChannel> channels = entry.channels(now);
        if (channels.isEmpty()) {
            awaitAgent(now);
            return;
        }
        AgentChannel channel = attempts.choose(channels, now);
        if (channel == null) {
            if (attempts.isEmpty()) {
                refuse(Refusal.AGENT, attempts.lastFailure());
            }
            return;
        }
        if (!countedFor.contains(channel.agent())) {
            countedFor.add(channel.agent());
            channel.agent().waits();
        }
        Counts.Full full = attempts.isFirst() ? side.counts().fullAgent(channel.agent(), now) : null;
        if (full != null) {
            refuse(full.why(), full.detail());
        } else {
            attempts.ask(
                    channel,
                    new Message.Visitor(entry.item(), name, incoming.client(), side.local(connection)),
                    sweeper.thread(),
                    now);
            next = attempts.nextAt();
        }
    }

    /**
     * Pending attempts may still be answered; if more are needed, the visitor moves to the side that has replaced this
     * one, if there is one.
     */
    private void sideIsLeaving(long now) {
        PublicSide successor = side.successor();
        if (successor == null) {
            if (attempts.isEmpty()) {
                refuse(Refusal.CLOSING, "the server is closing");
            }
        } else if (!attempts.isEmpty() && now - attempts.nextAt() < 0) {
            next = attempts.nextAt();
        } else {
            finish();
            attempts.abandon();
            leave();
            successor.visitor(incoming, wanted, takeEarly());
        }
    }

    private void awaitAgent(long now) {
        if (now - start >= ABSENT_NANOS) {
            refuse(Refusal.AGENT, "its agent isn't connected");
        } else {
            // the next sweep checks again
            next = now;
        }
    }

    /** The agent has connected to its target. From any thread; the data connection now belongs to this. */
    void acknowledged(Claim.Attempt attempt, DataConnection data) {
        if (Thread.currentThread() == sweeper.thread()) {
            guardedRelay(attempt, data);
        } else {
            IoTasks.execute(sweeper.thread(), () -> guardedRelay(attempt, data));
        }
    }

    private void guardedRelay(Claim.Attempt attempt, DataConnection data) {
        Guard.run("the start of a relay", () -> relay(attempt, data), () -> {
            data.discard();
            refuse(Refusal.FAILED, "an internal error");
            leave();
            IoUtils.safeClose(connection);
        });
    }

    private void relay(Claim.Attempt attempt, DataConnection data) {
        attempts.acknowledged(attempt);
        if (done || !connection.isOpen()) {
            data.discard();
            return;
        }
        if (attempt.channel().agent().isRemoved()) {
            data.discard();
            tryNext();
            return;
        }
        finish();
        attempts.abandon();
        TunnelRelay.start(this, attempt.channel(), data);
    }

    /** An attempt failed; from any thread. */
    void failed(Claim.Attempt attempt, String reason, boolean byAgent) {
        IoTasks.execute(
                sweeper.thread(),
                () -> Guard.run(
                        "a hand-over",
                        () -> {
                            if (attempts.failed(attempt, reason, byAgent) && !done) {
                                tryNext();
                            }
                        },
                        () -> refuse(Refusal.FAILED, "an internal error")));
    }

    private void refuse(Refusal why, String detail) {
        if (done) {
            return;
        }
        finish();
        attempts.abandon();
        leave();
        side.refusals().visitor(why);
        record(null, 0, 0, why.end(), detail);
        if (wanted.kind() == Message.Kind.NAME) {
            try {
                connection.getSinkChannel().write(TlsAlert.of(why.alert()));
            } catch (IOException e) {
                // already closed
            }
        }
        IoUtils.safeClose(connection);
    }

    /** The client has left. */
    private void left() {
        end(RelayEnd.CLIENT_LEFT);
    }

    /** The connection was closed, by either side. */
    private void gone() {
        end(RelayEnd.CUT);
    }

    private void end(RelayEnd how) {
        if (!done) {
            finish();
            attempts.abandon();
            leave();
            record(null, 0, 0, how, "");
            IoUtils.safeClose(connection);
        }
    }

    private void finish() {
        done = true;
        Message.Item item = counted;
        if (waiting && item != null) {
            waiting = false;
            side.counts().settled(address, item);
        }
        countedFor.forEach(AgentState::waitsNoMore);
        countedFor.clear();
        client.stop();
        sweeper.forget(this);
    }

    /** It no longer counts; called once, also when its relay has ended. */
    void leave() {
        Message.Item item = counted;
        counted = null;
        if (item != null) {
            side.counts().leave(address, item);
        }
    }

    /** Writes the record for the log and for observers. */
    void record(@Nullable String agent, long sent, long received, RelayEnd end, String detail) {
        Recorder recorder = side.recorder();
        if (recorder.isRelayWanted()) {
            recorder.relayEnded(new RelayData(
                    begun,
                    incoming.client(),
                    "tunnels",
                    Optional.of(wanted.toString()),
                    Optional.empty(),
                    Optional.ofNullable(agent),
                    sent,
                    received,
                    Duration.ofNanos(sweeper.now() - start),
                    end,
                    detail));
        }
    }

    Incoming incoming() {
        return incoming;
    }

    /** The bytes that were read already; keeps them no longer. */
    ByteBuffer takeEarly() {
        return client.take();
    }

    PublicSide side() {
        return side;
    }

    @Override
    protected long deadline() {
        return Math.min(Math.min(start + LIMIT_NANOS, next), client.deadline());
    }

    @Override
    protected void expired(long now) {
        client.seen(now);
        if (now - start >= LIMIT_NANOS) {
            refuse(Refusal.AGENT, attempts.lastFailure());
        } else if (client.isGivenUp(now)) {
            left();
        } else {
            attempts.silent(now);
            Guard.run("a hand-over", this::tryNext, () -> refuse(Refusal.FAILED, "an internal error"));
        }
    }

    @Override
    protected void seen(long now) {
        client.seen(now);
    }

    @Override
    protected void cut() {
        refuse(Refusal.CLOSING, "the server is closing");
    }
}
