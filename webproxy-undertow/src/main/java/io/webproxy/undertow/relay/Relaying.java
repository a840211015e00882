package io.webproxy.undertow.relay;

import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.RelayData;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Reset;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * One relayed connection, from admission to its record: it is refused, or connected to a target and copied both ways.
 * Its idle limit is watched, if it has one. Not thread-safe: it belongs to the client's IO thread.
 */
final class Relaying extends Watched implements ByteRelay.Listener {

    private final Relays relays;
    private final RelayRule rule;
    private final StreamConnection left;
    private final InetSocketAddress client;
    private final Sweeper sweeper;
    private final long started;
    private final long startMillis = System.currentTimeMillis();
    private @Nullable Dialling dialling;
    private @Nullable ByteRelay relay;
    private @Nullable RelayTarget target;
    private @Nullable InetSocketAddress source;
    private RelayPaths.@Nullable Ends accepted;
    private RelayPaths.@Nullable Ends made;
    private boolean counted;
    private boolean descriptor;
    private boolean settled;
    private boolean ended;
    private RelayEnd reason = RelayEnd.CUT;
    private long movedBefore;
    private long idleSince;

    Relaying(Relays relays, RelayRule rule, RelayClient client, Sweeper sweeper) {
        this.relays = relays;
        this.rule = rule;
        this.left = client.connection();
        this.client = client.client();
        this.sweeper = sweeper;
        this.started = sweeper.now();
        this.dialling = new Dialling(this, client);
    }

    XnioIoThread thread() {
        return sweeper.thread();
    }

    Relays relays() {
        return relays;
    }

    RelayRule rule() {
        return rule;
    }

    Sweeper sweeper() {
        return sweeper;
    }

    private static void stays() {
        // established relays continue
    }

    /** Refuses the client, or starts to connect. */
    void start() {
        Dialling start = dialling;
        if (start == null) {
            return;
        }
        start.client().settled();
        start.client().onLeave(Relaying::stays);
        left.getSourceChannel().suspendReads();
        left.getSourceChannel().setReadListener(null);
        RelayEnd refusal = refusal();
        if (refusal != null) {
            refuse(refusal);
        } else if (path() == null) {
            leadsBack();
        } else {
            start.start();
        }
    }

    private @Nullable RelayEnd refusal() {
        int most = rule.settings().connections();
        int open = rule.counters().opened();
        counted = true;
        AddressRange address = address();
        boolean few = rule.entered(address);
        if (!rule.isWithinRate(address, started)) {
            return RelayEnd.REFUSED_RATE;
        } else if (!few || (most > 0 && open > most)) {
            return RelayEnd.REFUSED_LIMIT;
        } else if (!relays.fitsMemory() || !relays.room().takeRelay()) {
            return RelayEnd.REFUSED_SHORTAGE;
        }
        descriptor = true;
        return null;
    }

    private AddressRange address() {
        return AddressRange.clientOf(client.getAddress());
    }

    void refuse(RelayEnd why) {
        rule.counters().refused();
        end(why, "");
    }

    /** Something unexpected was thrown. */
    void fail() {
        ByteRelay live = relay;
        if (live != null) {
            reason = RelayEnd.FAILED;
            live.abort();
        }
        end(RelayEnd.FAILED, "");
    }

    /** The server, or the endpoint, ends. */
    @Override
    protected void cut() {
        ByteRelay live = relay;
        if (live == null) {
            end(RelayEnd.CUT, "");
        } else {
            live.abort();
        }
    }

    /** Sets the target that is tried now. */
    void tries(RelayTarget other) {
        target = other;
    }

    /** No target could be connected. */
    void unreachable(String detail) {
        rule.counters().failed();
        rule.unreachable(detail);
        end(RelayEnd.CONNECT_FAILED, detail);
    }

    /** The endpoints that the client's connection has passed; null if it has come back to this one. */
    private @Nullable List<String> path() {
        if (accepted == null) {
            accepted = RelayPaths.Ends.accepted(left);
        }
        return relays.paths().through(accepted, rule.endpoint());
    }

    private void leadsBack() {
        unreachable("a target leads back to " + rule.endpoint());
    }

    /** A target is connected. */
    void connected(StreamConnection right, @Nullable EarlyBytes early, boolean leftEnded) {
        dialling = null;
        settle();
        List<String> path = path();
        if (path == null) {
            // the side that made the connection being relayed hadn't recorded it yet
            IoUtils.safeClose(right);
            leadsBack();
            return;
        }
        RelayPaths.Ends ends = RelayPaths.Ends.made(right);
        if (ends != null) {
            relays.paths().made(ends, path);
            made = ends;
            source = ends.source();
        }
        ByteRelay copy = new ByteRelay(
                left,
                right,
                relays.buffers(),
                relays.bulkBuffers(),
                ByteRelay.Traffic.UNSEEN,
                ByteRelay.Traffic.UNSEEN,
                this);
        relay = copy;
        if (!rule.settings().idleTime().isZero()) {
            idleSince = sweeper.now();
            sweeper.watch(this);
        }
        copy.start(null, early, leftEnded);
    }

    @Override
    public void ended(ByteRelay.Ending how) {
        end(
                switch (how) {
                    case CLEAN -> RelayEnd.CLOSED;
                    case LEFT_BROKEN -> RelayEnd.CLIENT_RESET;
                    case RIGHT_BROKEN -> RelayEnd.TARGET_RESET;
                    case CUT -> reason;
                    case FAILED -> RelayEnd.FAILED;
                },
                "");
    }

    /** Ends it once; resets what the relay hasn't closed. */
    void end(RelayEnd how, String detail) {
        if (ended) {
            return;
        }
        ended = true;
        Dialling unfinished = dialling;
        dialling = null;
        ByteRelay copied = relay;
        sweeper.forget(this);
        try {
            if (unfinished != null) {
                unfinished.stop();
            }
            if (copied == null) {
                Reset.now(left);
            }
        } finally {
            RelayPaths.Ends known = made;
            if (known != null) {
                relays.paths().closed(known);
            }
            if (descriptor) {
                settle();
                relays.room().giveRelay();
            }
            if (counted) {
                rule.counters().closed();
                rule.left(address());
            }
            Guard.run("the record of a relay", () -> record(how, detail, copied));
            relays.ended(this);
        }
    }

    /** The descriptor is in use now, or won't be. */
    private void settle() {
        if (!settled) {
            settled = true;
            relays.room().settleRelay();
        }
    }

    private void record(RelayEnd how, String detail, @Nullable ByteRelay copied) {
        if (relays.recorder().isRelayWanted()) {
            relays.recorder()
                    .relayEnded(new RelayData(
                            Instant.ofEpochMilli(startMillis),
                            client,
                            rule.endpoint(),
                            Optional.of(rule.name()),
                            Optional.ofNullable(source),
                            Optional.ofNullable(target).map(RelayTarget::text),
                            copied == null ? 0 : copied.sentToRight(),
                            copied == null ? 0 : copied.sentToLeft(),
                            Duration.ofNanos(sweeper.now() - started),
                            how,
                            detail));
        }
    }

    private boolean hasMoved(ByteRelay copied) {
        long moved = copied.sentToLeft() + copied.sentToRight();
        boolean news = moved != movedBefore;
        movedBefore = moved;
        return news;
    }

    @Override
    protected long deadline() {
        return idleSince + rule.settings().idleTime().toNanos();
    }

    @Override
    protected void seen(long now) {
        if (relay != null && hasMoved(relay)) {
            idleSince = now;
        }
    }

    @Override
    protected void expired(long now) {
        if (relay != null && hasMoved(relay)) {
            idleSince = now;
        } else if (relay != null) {
            reason = RelayEnd.IDLE;
            relay.abort();
        }
    }
}
