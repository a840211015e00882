package io.webproxy.undertow.endpoint;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.PooledAdaptor;
import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.PortRule;
import io.webproxy.tls.ClientHello;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.endpoint.RuleSet.Ruling;
import io.webproxy.undertow.observe.AddressText;
import io.webproxy.undertow.relay.RelayRule;
import io.webproxy.undertow.sniff.Decision;
import io.webproxy.undertow.sniff.Peeked;
import io.webproxy.undertow.sniff.PortDetection;
import io.webproxy.undertow.tls.TlsAcceptor;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.PushBackStreamSourceConduit;
import org.xnio.ssl.SslConnection;

/**
 * Takes one connection through the rules of its endpoint, up to the point where it is handed over: first bytes, TLS if
 * it is terminated, and the first bytes within. Not thread-safe: it belongs to the connection's IO thread.
 */
final class Visit {
    private static final Logger LOG = LoggerFactory.getLogger(Visit.class);

    /** RFC 6066 section 3. */
    private static final int UNRECOGNIZED_NAME = 112;

    private final RulePort port;
    private final ClientConnection client;
    private final Sweeper sweeper;
    private final PortTimes times;
    private final long accepted;

    Visit(RulePort port, ClientConnection client) {
        this.port = port;
        this.client = client;
        this.sweeper = port.tools().sweeper(client);
        this.times = port.times();
        this.accepted = client.since();
    }

    void start() {
        // else silent connections would take the descriptors of those that send something
        client.withdrawEngine();
        new OnSocket().look(accepted + times.silent(), accepted + times.undecided(), null);
    }

    private static @Nullable InetSocketAddress local(ClientConnection client) {
        return client.connection().getLocalAddress(InetSocketAddress.class);
    }

    private void close(StreamConnection connection) {
        client.settled();
        IoUtils.safeClose(connection);
        IoUtils.safeClose(client.connection());
    }

    private void close(StreamConnection connection, RelayEnd why) {
        try {
            undetected(why);
        } finally {
            close(connection);
        }
    }

    private void undetected(RelayEnd why) {
        port.undetected().closed(client.client(), Duration.ofNanos(sweeper.now() - accepted), why);
    }

    /** Counts the connection for a rule until it closes. */
    private void serve(Ruling ruling) {
        client.settled();
        client.countFor(ruling.counters());
    }

    /** Reads the first bytes of a connection, and acts on the outcome. */
    private abstract class Stage implements FirstBytes.Outcome {
        final StreamConnection connection;
        final RuleSet rules;

        Stage(StreamConnection connection, RuleSet rules) {
            this.connection = connection;
            this.rules = rules;
        }

        void look(long silentAt, long undecidedAt, @Nullable PooledByteBuffer early) {
            new FirstBytes(
                            client,
                            connection,
                            new PortDetection(
                                    rules.rulesFor(client.client().getAddress()),
                                    hello -> port.tools().tunnels().serves(hello)),
                            new FirstBytes.Times(silentAt, undecidedAt),
                            sweeper,
                            port.tools(),
                            this)
                    .start(early);
        }

        @Override
        public void undecided(boolean ended, PooledByteBuffer read) {
            otherwise(ended ? RelayEnd.UNDETECTED_ENDED : RelayEnd.UNDETECTED_LATE, read);
        }

        @Override
        public void untaken(Decision.None decision, PooledByteBuffer read) {
            otherwise(RelayEnd.UNDETECTED_UNKNOWN, read);
        }

        @Override
        public void malformed(Decision.Malformed decision) {
            close(connection, RelayEnd.UNDETECTED_MALFORMED);
        }

        @Override
        public void silent() {
            RelayRule silent = rules.silent();
            if (silent == null) {
                close(connection, RelayEnd.UNDETECTED_SILENT);
            } else {
                relay(silent, null);
            }
        }

        @Override
        public void gone(boolean ended) {
            if (ended) {
                close(connection, RelayEnd.UNDETECTED_ENDED);
            } else {
                close(connection);
            }
        }

        @Override
        public void crowded() {
            client.refused();
            close(connection);
        }

        @Override
        public void failed() {
            client.fail();
            close(connection);
        }

        void otherwise(RelayEnd why, PooledByteBuffer read) {
            RelayRule otherwise = rules.otherwise();
            if (otherwise == null) {
                read.close();
                close(connection, why);
            } else {
                relay(otherwise, read);
            }
        }

        void replay(PooledByteBuffer read) {
            ConduitStreamSourceChannel source = connection.getSourceChannel();
            PushBackStreamSourceConduit replay = new PushBackStreamSourceConduit(source.getConduit());
            source.setConduit(replay);
            replay.pushBack(new PooledAdaptor(read));
        }

        /**
         * The relay gets all bytes as if none had been read; no pooled buffer waits for the connection to its target.
         */
        void relay(RelayRule rule, @Nullable PooledByteBuffer read) {
            client.settled();
            if (read != null) {
                replay(HeldBytes.unpooled(read));
            }
            InetSocketAddress local = local(client);
            if (local == null) {
                close(connection);
            } else {
                port.tools().relays().open(rule, new Relayed(client, connection, local));
            }
        }
    }

    /** The bytes on the socket itself. */
    private final class OnSocket extends Stage {
        OnSocket() {
            super(client.connection(), port.rules());
        }

        @Override
        public void taken(Decision.Rule decision, PooledByteBuffer read) {
            Ruling ruling = rules.at(decision.rule());
            Peeked.ClientHello hello = decision.hello();
            RelayRule relay = ruling.relay();
            if (relay != null) {
                relay(relay, read);
            } else if (decision.rule().action() == PortRule.Action.TUNNEL) {
                client.countFor(ruling.counters());
                tunnel(decision.rule(), hello, read);
            } else if (hello != null) {
                openTls(ruling, hello, read);
            } else {
                serve(ruling);
                switch (decision.rule().action()) {
                    case REDIRECT -> port.protocols().redirect(client, connection, read);
                    default -> port.protocols().cleartext(client, connection, read);
                }
            }
        }

        @Override
        public void untaken(Decision.None decision, PooledByteBuffer read) {
            Peeked.ClientHello hello = decision.hello();
            if (hello == null) {
                super.untaken(decision, read);
            } else if (isChallenge(hello)) {
                openTls(null, hello, read);
            } else {
                if (rules.otherwise() == null) {
                    TlsStart.sendAlert(connection, UNRECOGNIZED_NAME);
                }
                otherwise(RelayEnd.UNDETECTED_UNKNOWN, read);
            }
        }

        private void tunnel(PortRule rule, Peeked.@Nullable ClientHello hello, PooledByteBuffer read) {
            PooledByteBuffer kept = HeldBytes.unpooled(read);
            Tunnels tunnels = port.tools().tunnels();
            if (hello == null) {
                tunnels.data(client, kept.getBuffer());
            } else if (rule.protocol() == PortRule.Protocol.TUNNEL_CLIENT) {
                tunnels.client(client, hello, kept.getBuffer());
            } else {
                replay(kept);
                port.tools().turns(client).run(() -> tunnels.control(client));
            }
        }

        /** Whether it is an ACME challenge that is known here. */
        private boolean isChallenge(Peeked.ClientHello hello) {
            TlsAcceptor tls = port.tls();
            InetSocketAddress local = local(client);
            return tls != null && local != null && tls.hasAnswer(Offer.of(hello, local));
        }

        @Override
        public void malformed(Decision.Malformed decision) {
            LOG.debug("{} sent {}", AddressText.of(client.client()), decision.reason());
            TlsStart.sendAlert(connection, decision.alert());
            super.malformed(decision);
        }

        private void openTls(@Nullable Ruling ruling, Peeked.ClientHello hello, PooledByteBuffer read) {
            TlsAcceptor tls = port.tls();
            InetSocketAddress local = local(client);
            if (tls == null || local == null || !client.takeEngine()) {
                read.close();
                close(connection);
                return;
            }
            ClientHello offer = Offer.of(hello, local);
            new TlsStart(
                            client,
                            tls,
                            offer,
                            sweeper,
                            accepted + times.handshake(),
                            port.tools(),
                            read,
                            new OfTls(ruling, offer.applicationProtocols().isEmpty()))
                    .start(port.tools().turns(client));
        }
    }

    /** Handles the outcome of a TLS handshake. */
    private final class OfTls implements TlsStart.Outcome {
        private final @Nullable Ruling ruling;
        private final boolean mayBeLookedInto;

        OfTls(@Nullable Ruling ruling, boolean mayBeLookedInto) {
            this.ruling = ruling;
            this.mayBeLookedInto = mayBeLookedInto;
        }

        @Override
        public void opened(SslConnection secure, String protocol, @Nullable PooledByteBuffer early) {
            client.settled();
            RuleSet inside = ruling == null ? null : ruling.inside();
            if (inside != null && mayBeLookedInto) {
                long now = sweeper.now();
                new WithinTls(secure, inside).look(now + inside.detectNanos(), now + times.undecided(), early);
                return;
            }
            if (ruling != null) {
                serve(ruling);
            }
            if ("h2".equals(protocol)) {
                port.protocols().http2(client, secure, early);
            } else {
                port.protocols().http1(client, secure, early);
            }
        }

        @Override
        public void closing(boolean failed) {
            client.settled();
            if (failed) {
                undetected(RelayEnd.UNDETECTED_MALFORMED);
            }
        }

        @Override
        public void failed() {
            client.fail();
            close(client.connection());
        }
    }

    /** The bytes within terminated TLS, of a client that offered no ALPN protocol. */
    private final class WithinTls extends Stage {
        WithinTls(SslConnection secure, RuleSet inside) {
            super(secure, inside);
        }

        @Override
        public void taken(Decision.Rule decision, PooledByteBuffer read) {
            Ruling ruling = rules.at(decision.rule());
            RelayRule relay = ruling.relay();
            if (relay != null) {
                relay(relay, read);
            } else {
                serve(ruling);
                port.protocols().http1(client, connection, read);
            }
        }
    }
}
