package io.webproxy.undertow.tunnel;

import io.webproxy.spi.TunnelKey;
import io.webproxy.tunnel.Announcement;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.tls.PinnedTls;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.ssl.SslConnection;

/** The private side's end of a control channel. Belongs to its IO thread, except where noted. */
final class UplinkChannel extends ControlChannel {
    /** How many requested connections may be pending: more than a server's clients ever need at once. */
    private static final int MOST_WAITING = 8_192;

    private static final long GREETING_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** How long a closing channel may take to connect the clients that were requested before. */
    private static final long LEAVE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final InetSocketAddress peer;
    private final Uplink uplink;
    private final PrivateSide side;
    private final Map<Integer, List<Announcement>> asked = new HashMap<>();
    private final Map<Announcement, String> refused = new LinkedHashMap<>();
    /** Requested connections that aren't relays yet, by id. */
    private final Map<Long, HandIn> waiting = new ConcurrentHashMap<>();

    private Message.@Nullable Goodbye goodbye;
    private long leaveUntil;
    private long lastPing;
    private boolean lastHeard;
    private String agent = "";
    private boolean welcomed;
    private boolean decided;

    UplinkChannel(SslConnection connection, InetSocketAddress peer, Uplink uplink, PrivateSide side, Sweeper sweeper) {
        super(connection, sweeper, side.environment().buffers(), sweeper.now() + GREETING_NANOS);
        this.peer = peer;
        this.uplink = uplink;
        this.side = side;
    }

    @Override
    void established() {
        X509Certificate leaf = PinnedTls.peer(connection());
        String shown = leaf == null ? "none" : TunnelKey.fingerprintOf(leaf);
        if (!side.tunnel().fingerprints().contains(shown)) {
            over("the server's key is " + shown
                    + ", which isn't pinned (expected: the identity that the public proxy prints)");
            return;
        }
        send(new Message.Hello(VERSION, PublicSide.CAPABILITIES, side.instance(), Software.name()));
    }

    @Override
    void received(Message message) {
        if (message instanceof Message.Welcome welcome && !welcomed) {
            welcomed(welcome);
        } else if (!welcomed) {
            end(Message.Verdict.MALFORMED, "something else than a welcome");
        } else if (message instanceof Message.Result result) {
            result(result);
        } else if (message instanceof Message.Connect connect) {
            take(new HandIn(connect.id(), connect.token(), connect.visitor(), this, side, side.nextThread()));
        } else if (message instanceof Message.Ready ready) {
            take(new HandIn(ready.id(), ready.token(), null, this, side, side.nextThread()));
        } else if (message instanceof Message.Use use) {
            HandIn ready = waiting.get(use.id());
            if (ready == null) {
                refuse(use.id(), "that ready connection is gone");
            } else {
                ready.use(use.visitor());
            }
        } else if (message instanceof Message.Drop drop) {
            HandIn unwanted = waiting.get(drop.id());
            if (unwanted != null) {
                unwanted.drop();
            }
        } else {
            end(Message.Verdict.MALFORMED, "a message that public servers don't send");
        }
    }

    private void welcomed(Message.Welcome welcome) {
        if (welcome.version() != VERSION) {
            end(Message.Verdict.MALFORMED, "version " + welcome.version() + " (expected: " + VERSION + ")");
            return;
        }
        welcomed = true;
        agent = welcome.agent();
        greeted();
        List<Announcement> all = side.tunnel().announcements();
        for (int from = 0; from < all.size(); from += Frames.MAX_ITEMS) {
            List<Announcement> some = all.subList(from, Math.min(all.size(), from + Frames.MAX_ITEMS));
            List<Message.Offer> offers = new ArrayList<>();
            some.forEach(each -> offers.add(
                    new Message.Offer(PrivateSide.item(each), each.expiry().toSeconds())));
            asked.put(from, some);
            send(new Message.Announce(from, offers));
        }
    }

    private void result(Message.Result result) {
        List<Announcement> some = asked.remove(result.sequence());
        if (some == null || some.size() != result.verdicts().size()) {
            end(Message.Verdict.MALFORMED, "an answer to no announcement");
            return;
        }
        for (int i = 0; i < some.size(); i++) {
            Message.Verdict verdict = result.verdicts().get(i);
            if (!verdict.isAccepted()) {
                refused.put(some.get(i), verdict.code() + " " + verdict.text());
            }
        }
        if (asked.isEmpty() && !decided) {
            decided = true;
            uplink.decided(agent, refused);
        }
    }

    private void take(HandIn handIn) {
        if (waiting.size() >= MOST_WAITING) {
            refuse(handIn.id(), "too many connections are asked for at once");
            return;
        }
        if (waiting.putIfAbsent(handIn.id(), handIn) != null) {
            end(Message.Verdict.MALFORMED, "one id for two connections");
            return;
        }
        XnioIoThread thread = handIn.thread();
        if (Thread.currentThread() == thread) {
            handIn.start();
        } else {
            IoTasks.execute(thread, handIn::start);
        }
    }

    /**
     * Withdraws everything, unless another channel takes its place, then says goodbye once the clients are connected
     * that the server requested before it heard of that.
     */
    void leave(Message.Goodbye why) {
        if (!welcomed) {
            end(why.code(), why.text());
            return;
        }
        goodbye = why;
        leaveUntil = now() + LEAVE_NANOS;
        if (why.code() != Message.Goodbye.BACK_SOON) {
            List<Message.Item> all = side.tunnel().announcements().stream()
                    .map(PrivateSide::item)
                    .toList();
            for (int from = 0; from < all.size(); from += Frames.MAX_ITEMS) {
                send(new Message.Withdraw(all.subList(from, Math.min(all.size(), from + Frames.MAX_ITEMS))));
            }
        }
        lastPing = ThreadLocalRandom.current().nextLong();
        send(new Message.Ping(lastPing));
    }

    @Override
    void answered(long ping) {
        lastHeard |= goodbye != null && ping == lastPing;
        leaveWhenConnected(now());
    }

    @Override
    protected void seen(long now) {
        leaveWhenConnected(now);
    }

    private void leaveWhenConnected(long now) {
        Message.Goodbye why = goodbye;
        if (why != null
                && (now - leaveUntil >= 0
                        || (lastHeard && waiting.values().stream().noneMatch(HandIn::isBound)))) {
            end(why.code(), why.text());
        }
    }

    @Override
    boolean isKnown(long id) {
        return waiting.containsKey(id);
    }

    /** The address of the public server; data connections go there too. */
    InetSocketAddress peer() {
        return peer;
    }

    /** From any thread. */
    void refuse(long id, String why) {
        send(new Message.Refuse(id, why));
    }

    /** A requested connection has become a relay, or is over; from any thread. */
    void settled(HandIn handIn) {
        waiting.remove(handIn.id(), handIn);
    }

    @Override
    String closing() {
        return Uplink.CLOSING;
    }

    @Override
    void closed(Farewell farewell, String reason) {
        List.copyOf(waiting.values()).forEach(HandIn::drop);
        uplink.ended(farewell, reason);
    }
}
