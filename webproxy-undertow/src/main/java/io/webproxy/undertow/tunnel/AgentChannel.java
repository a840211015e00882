package io.webproxy.undertow.tunnel;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.TunnelAgentData;
import io.webproxy.spi.TunnelKey;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.observe.AddressText;
import io.webproxy.undertow.tls.PinnedTls;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ssl.SslConnection;

/** The public side's end of a control channel. Methods belong to its IO thread unless they say otherwise. */
final class AgentChannel extends ControlChannel {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");
    private static final UUID NOBODY = new UUID(0, 0);

    /** After an agent didn't answer, others are asked first for this long: within it a dead channel is detected. */
    private static final long SUSPECT_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** After so many decisions the agent isn't told about refusals any more. */
    private static final int MOST_TOLD = 256;

    private final Incoming incoming;
    private final PublicSide side;
    private final ReadyPool pool = new ReadyPool();
    private final Map<Long, Claim.Attempt> asked = new ConcurrentHashMap<>();
    private final AtomicInteger relays = new AtomicInteger();
    private final Instant since = Instant.now();
    private volatile AgentState agent = new AgentState("");
    private volatile @Nullable AgentEntry entry;
    private volatile UUID instance = NOBODY;
    private volatile String software = "";
    private volatile @Nullable String leaving;
    private volatile boolean suspected;
    private volatile long suspectUntil;
    private boolean waiting = true;
    private int decided;
    private long lastRefill;

    AgentChannel(
            Incoming incoming, SslConnection connection, PublicSide side, Sweeper sweeper, ByteBufferPool buffers) {
        super(connection, sweeper, buffers, sweeper.now() + WORD_NANOS);
        this.incoming = incoming;
        this.side = side;
    }

    AgentState agent() {
        return agent;
    }

    /** Its current status, and why it was closed, if it was. */
    TunnelStatus.Agent status(Optional<String> left) {
        Instant now = Instant.now();
        return new TunnelAgentData(
                agent.name(),
                AddressText.of(incoming.client()),
                software,
                since,
                now.minusNanos(Math.max(0, now() - lastReceived())),
                left,
                side.registry().of(this).stream()
                        .map(Message.Item::toString)
                        .sorted()
                        .toList(),
                pool.size(),
                relays());
    }

    String fingerprint() {
        return agent.fingerprint();
    }

    boolean isShared() {
        AgentEntry known = entry;
        return known != null && known.shared();
    }

    UUID instance() {
        return instance;
    }

    String software() {
        return software;
    }

    Incoming incoming() {
        return incoming;
    }

    ReadyPool pool() {
        return pool;
    }

    /** Number of its current relays and hand-overs. */
    int load() {
        return relays.get() + asked.size();
    }

    int relays() {
        return relays.get();
    }

    /** Whether it recently didn't answer. */
    boolean isSuspect(long now) {
        return suspected && now - suspectUntil < 0;
    }

    void relayStarted() {
        suspected = false;
        relays.incrementAndGet();
    }

    void relayEnded() {
        relays.decrementAndGet();
    }

    @Override
    void established() {
        incoming.settled();
        identify();
    }

    /** Finds its line in the agents file, which may have changed since the handshake; false if there is none. */
    private boolean identify() {
        AgentEntry found = find();
        if (found == null) {
            // it was removed, or its session is older than the removal
            end(Message.Verdict.NOT_ALLOWED, Refusals.UNKNOWN_KEY);
            return false;
        }
        agent = side.agent(found);
        entry = found;
        return true;
    }

    /** Its line in the agents file; null before the hello. From any thread. */
    @Nullable AgentEntry entry() {
        return entry;
    }

    private @Nullable AgentEntry find() {
        X509Certificate leaf = PinnedTls.peer(connection());
        return leaf == null ? null : side.agents().find(TunnelKey.fingerprintOf(leaf));
    }

    @Override
    void received(Message message) {
        if (message instanceof Message.Hello hello && waiting) {
            hello(hello);
        } else if (waiting) {
            end(Message.Verdict.MALFORMED, "something else than a hello");
        } else if (message instanceof Message.Announce announce) {
            announce(announce);
        } else if (message instanceof Message.Withdraw withdraw) {
            side.registry().withdraw(this, withdraw.items());
        } else if (message instanceof Message.Refuse refuse) {
            refused(refuse);
        } else {
            end(Message.Verdict.MALFORMED, "a message that agents don't send");
        }
    }

    private void hello(Message.Hello hello) {
        if (hello.version() < 1) {
            end(Message.Verdict.MALFORMED, "version " + hello.version() + " (expected: 1 or above)");
            return;
        }
        instance = hello.instance();
        software = hello.software();
        if (!identify()) {
            return;
        }
        if (!side.up(this)) {
            end(Message.Verdict.NOT_ALLOWED, "the agent has too many control channels, or the server is closing");
            return;
        }
        waiting = false;
        side.greeted(this);
        greeted();
        send(new Message.Welcome(
                Math.min(VERSION, hello.version()),
                hello.capabilities() & PublicSide.CAPABILITIES,
                agent.name(),
                side.software()));
        side.check(this);
    }

    /**
     * No more clients come: closes with this reason once those that were asked for have been answered. From any thread.
     */
    void leave(String reason) {
        leaving = reason;
        side.registry().lost(this);
        side.live().opened(this, () -> end(0, reason));
        if (isClosed()) {
            side.live().ended(this);
        }
        leaveWhenAnswered();
    }

    private void leaveWhenAnswered() {
        String reason = leaving;
        if (reason != null && asked.isEmpty()) {
            end(0, reason);
        }
    }

    private void announce(Message.Announce announce) {
        if (side.isLeaving()) {
            // the agent announces again where it connects next
            return;
        }
        boolean ports =
                announce.offers().stream().anyMatch(offer -> offer.item().kind() == Message.Kind.PORT);
        if (ports) {
            // binding a port may block
            side.execute(() -> Guard.run("an announcement", () -> decide(announce)));
        } else {
            decide(announce);
        }
    }

    private void decide(Message.Announce announce) {
        AgentEntry allowed = side.agents().find(fingerprint());
        List<Message.Verdict> verdicts = new ArrayList<>();
        for (Message.Offer offer : announce.offers()) {
            Message.Verdict verdict;
            if (allowed == null) {
                verdict = new Message.Verdict(Message.Verdict.NOT_ALLOWED, "the agent was removed");
            } else {
                verdict = side.announce(this, allowed, offer);
            }
            decided++;
            if (decided > (verdict.isAccepted() ? Registry.MOST_ITEMS : MOST_TOLD)) {
                // often enough: an agent must not fill logs
                LOG.debug("Agent {} announces {}: {}", agent.name(), offer.item(), verdict.code());
            } else if (verdict.isAccepted()) {
                LOG.info("Agent {} announces {}", agent.name(), offer.item());
                side.tell(ProxyObserver::tunnelAnnounced, this, offer.item().toString(), "");
            } else {
                LOG.info("Agent {} may not announce {}: {}", agent.name(), offer.item(), verdict.text());
                side.tell(
                        ProxyObserver::tunnelAnnouncementRefused,
                        this,
                        offer.item().toString(),
                        verdict.text());
            }
            verdicts.add(verdict);
        }
        if (side.isLeaving()) {
            side.registry().lost(this);
            return;
        }
        send(new Message.Result(announce.sequence(), verdicts));
        if (isClosed()) {
            // the channel was lost while a port was opened
            side.registry().lost(this);
        }
    }

    private void refused(Message.Refuse refuse) {
        Claim.Attempt attempt = asked.remove(refuse.id());
        if (attempt != null) {
            attempt.handOver().failed(attempt, "the agent says: " + refuse.text(), true);
            attempt.end();
        } else if (pool.failed(refuse.id())) {
            side.tokens().drop(refuse.id());
        }
    }

    @Override
    boolean isKnown(long id) {
        return asked.containsKey(id) || pool.isRequested(id);
    }

    /** A token for an attempt; from any thread. */
    Tokens.Token issue(Claim claim) {
        return side.tokens().issue(fingerprint(), instance, claim);
    }

    /** An attempt waits for this agent's answer; from any thread. */
    void asked(Claim.Attempt attempt) {
        asked.put(attempt.id(), attempt);
        if (isClosed() && asked.remove(attempt.id(), attempt)) {
            attempt.handOver().failed(attempt, "the agent's channel is closed", true);
        }
    }

    /** An attempt no longer waits; from any thread. */
    void answered(Claim.Attempt attempt) {
        asked.remove(attempt.id(), attempt);
    }

    /** Asks for as many ready connections as are missing; from any thread. */
    void refill(long now) {
        for (int missing = pool.missing(now); missing > 0; missing--) {
            Tokens.Token token = issue(new Claim.Ready(this));
            if (!pool.requested(token.id(), now + Tokens.LIMIT_NANOS)) {
                side.tokens().drop(token.id());
                return;
            }
            send(new Message.Ready(token.id(), token.token()));
        }
    }

    /**
     * It didn't answer in time: from now on others are asked first, and its older ready connections aren't used. From
     * any thread.
     */
    void suspect(long now) {
        suspectUntil = now + SUSPECT_NANOS;
        suspected = true;
        pool.takeAll().forEach(DataConnection::discard);
    }

    @Override
    protected void seen(long now) {
        leaveWhenAnswered();
        if (now - lastRefill >= 1_000_000_000L) {
            lastRefill = now;
            List<Long> expired = new ArrayList<>();
            pool.sweep(now, expired).forEach(DataConnection::discard);
            expired.forEach(side.tokens()::drop);
            if (!waiting && leaving == null) {
                refill(now);
            }
        }
    }

    @Override
    String closing() {
        return PublicSide.CLOSING;
    }

    @Override
    void closed(Farewell farewell, String reason) {
        incoming.settled();
        side.live().ended(this);
        if (waiting) {
            side.greeted(this);
            LOG.debug("A control channel of {} ended before its hello: {}", AddressText.of(incoming.client()), reason);
        } else {
            side.down(this, farewell, reason);
        }
        List<Long> unanswered = new ArrayList<>();
        pool.close(unanswered).forEach(DataConnection::discard);
        unanswered.forEach(side.tokens()::drop);
        for (Claim.Attempt attempt : List.copyOf(asked.values())) {
            if (asked.remove(attempt.id(), attempt)) {
                attempt.handOver().failed(attempt, "the agent's channel was closed", true);
            }
        }
    }

    @Override
    public String toString() {
        return agent.name() + "/" + instance;
    }
}
