package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.port.Endpoint;
import io.webproxy.spi.EndpointData;
import io.webproxy.spi.Listen;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.endpoint.Acceptor;
import io.webproxy.undertow.endpoint.ClientConnection;
import io.webproxy.undertow.endpoint.ListeningSocket;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.endpoint.RulePort;
import io.webproxy.undertow.observe.AddressText;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.XnioWorker;

/** The endpoints of one server; updates may add and remove them while it runs. Thread-safe; one change at a time. */
final class Listeners implements Part {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");

    /** How long a change may wait for look-ups of upstreams that have the port of an endpoint. */
    private static final Duration LOOKUP_LIMIT = Duration.ofSeconds(1);

    private final XnioWorker worker;
    private final OpenConnections connections;
    private final BiFunction<Listen, Endpoint, Consumer<ClientConnection>> kinds;
    private final Consumer<Map<String, List<String>>> rules;
    private volatile List<Listener> all = List.of();
    private volatile List<Listener> prepared = List.of();
    /** All bound sockets, in force or not; XNIO can't close one any more whose thread has ended. */
    private final Map<ListeningSocket, Listener> sockets = new LinkedHashMap<>();

    private boolean closed;

    /** One endpoint: its configuration and its bound socket. */
    private record Listener(
            Listen listen, Endpoint endpoint, ListeningSocket server, Acceptor acceptor, Becoming becoming) {
        void close() {
            acceptor.close(server);
        }

        void close(Duration drainTime) {
            acceptor.close(server, drainTime);
        }

        /** The same socket with another configuration. */
        Listener as(Listen other) {
            InetSocketAddress bound = endpoint.address();
            return new Listener(other, endpointData(other, bound), server, acceptor, becoming);
        }
    }

    /**
     * The handler of an endpoint's connections, set after the port is bound, and before the first connection is
     * accepted.
     */
    private static final class Becoming implements Consumer<ClientConnection> {
        private volatile Consumer<ClientConnection> what = client -> IoUtils.safeClose(client.connection());

        @Override
        public void accept(ClientConnection client) {
            what.accept(client);
        }
    }

    /**
     * None yet.
     *
     * @param kinds makes the handler of an endpoint's connections when its configuration is in force
     * @param rules is told the names of the rules that endpoints have, by the name of the endpoint
     */
    Listeners(
            XnioWorker worker,
            OpenConnections connections,
            BiFunction<Listen, Endpoint, Consumer<ClientConnection>> kinds,
            Consumer<Map<String, List<String>>> rules) {
        this.worker = worker;
        this.connections = connections;
        this.kinds = kinds;
        this.rules = rules;
    }

    /** The endpoints in force, in the order of configuration, with real ports. */
    List<Endpoint> endpoints() {
        return all.stream().map(Listener::endpoint).toList();
    }

    /** The names of the rules of endpoints with rules, in order, for status and counters. */
    Map<String, List<String>> ruleNames() {
        Map<String, List<String>> names = new LinkedHashMap<>();
        for (Listener listener : all) {
            EndpointKinds.rules(listener.listen)
                    .ifPresent(rules -> names.merge(
                            listener.endpoint.name(),
                            List.copyOf(RulePort.named(rules).keySet()),
                            (some, more) -> Stream.concat(some.stream(), more.stream())
                                    .distinct()
                                    .toList()));
        }
        return names;
    }

    /** The port of the first endpoint that matches, 0 if there is none. */
    int port(Predicate<Listen> wanted) {
        return port(all, wanted);
    }

    /** The same among the prepared endpoints. */
    int preparedPort(Predicate<Listen> wanted) {
        return port(prepared, wanted);
    }

    private static int port(List<Listener> among, Predicate<Listen> wanted) {
        for (Listener listener : among) {
            if (wanted.test(listener.listen)) {
                return listener.endpoint.address().getPort();
            }
        }
        return 0;
    }

    /**
     * Binds the endpoints that are new in a configuration, unless a request would come back to them; nothing is
     * accepted there yet.
     */
    @Override
    public Change prepare(ProxyConfig config) {
        OwnEndpoints own = new OwnEndpoints(new BoundedLookup(LOOKUP_LIMIT));
        own.check(config, OwnEndpoints.known(config));
        List<Listener> left = new ArrayList<>(all);
        List<Listener> next = new ArrayList<>();
        List<Listener> added = new ArrayList<>();
        List<Listener> changed = new ArrayList<>();
        IdentityHashMap<Listen, Listener> unchanged = unchanged(config, left);
        try {
            for (Listen listen : config.listens()) {
                Listener same = unchanged.get(listen);
                Listener before = same == null ? take(left, old -> isSameSocket(config, old, listen)) : null;
                Listener listener = same != null ? same : before != null ? before.as(listen) : bind(config, listen);
                if (same == null) {
                    (before == null ? added : changed).add(listener);
                }
                next.add(listener);
            }
            own.check(config, bound(next));
        } catch (Throwable e) {
            discard(added);
            throw e;
        }
        prepared = List.copyOf(next);
        return new Bound(prepared, added, changed, left, config.drainTime());
    }

    private static List<OwnEndpoints.Bound> bound(List<Listener> listeners) {
        return listeners.stream()
                .map(listener -> new OwnEndpoints.Bound(listener.listen, listener.endpoint.address()))
                .toList();
    }

    /**
     * The endpoints with an unchanged configuration, removed from {@code left}; found first, so that no other endpoint
     * takes over their sockets.
     */
    private static IdentityHashMap<Listen, Listener> unchanged(ProxyConfig config, List<Listener> left) {
        IdentityHashMap<Listen, Listener> unchanged = new IdentityHashMap<>();
        for (Listen listen : config.listens()) {
            Listener same = take(left, old -> old.listen.equals(listen));
            if (same != null) {
                unchanged.put(listen, same);
            }
        }
        return unchanged;
    }

    /**
     * Whether another configuration may take over the socket of an endpoint: it has the same configured port or, if
     * that is 0, the same name or none.
     */
    private static boolean isSameSocket(ProxyConfig config, Listener old, Listen other) {
        Listen listen = old.listen;
        return listen.protocol() == other.protocol()
                && listen.port() == other.port()
                && hostOf(config, listen).equals(hostOf(config, other))
                && (listen.port() != 0
                        || listen.settings().name().equals(other.settings().name()));
    }

    private static Optional<String> hostOf(ProxyConfig config, Listen listen) {
        return listen.settings().bind().or(config::bind);
    }

    private static @Nullable Listener take(List<Listener> from, Predicate<Listener> wanted) {
        for (Listener listener : from) {
            if (wanted.test(listener)) {
                from.remove(listener);
                return listener;
            }
        }
        return null;
    }

    /** Closes new sockets, on which no connection was accepted yet. */
    private synchronized void discard(List<Listener> added) {
        for (Listener listener : added) {
            if (sockets.remove(listener.server) != null) {
                IoUtils.safeClose(listener.server);
            }
        }
    }

    private synchronized Listener bind(ProxyConfig config, Listen listen) {
        InetSocketAddress address = hostOf(config, listen)
                .map(host -> new InetSocketAddress(host, listen.port()))
                .orElseGet(() -> new InetSocketAddress(listen.port()));
        if (address.isUnresolved()) {
            throw new ProxyStartException("bind: " + address.getHostString()
                    + " (expected: an address of this machine, such as 127.0.0.1 or 0.0.0.0).");
        }
        OptionMap options = OptionMap.builder()
                .set(Options.TCP_NODELAY, true)
                .set(Options.KEEP_ALIVE, true)
                .set(Options.REUSE_ADDRESSES, true)
                .set(Options.BACKLOG, Machine.backlog(config.tuning().backlog()))
                .getMap();
        Becoming becoming = new Becoming();
        Acceptor acceptor = new Acceptor(connections, becoming);
        if (closed) {
            throw Transaction.closed();
        }
        try {
            ListeningSocket server = acceptor.listen(worker, address, options);
            InetSocketAddress bound = server.address();
            Endpoint endpoint = endpointData(listen, bound);
            Listener listener = new Listener(listen, endpoint, server, acceptor, becoming);
            sockets.put(server, listener);
            return listener;
        } catch (IOException | UnresolvedAddressException e) {
            throw new ProxyStartException(BindFailure.sentence(address, e, owner(address)), e);
        }
    }

    /** Which endpoint in force has an address, or all addresses of its port; null if none has. */
    private @Nullable String owner(InetSocketAddress wanted) {
        return all.stream()
                .filter(listener -> overlap(listener.endpoint.address(), wanted))
                .map(listener -> listener.endpoint.name())
                .findFirst()
                .orElse(null);
    }

    private static boolean overlap(InetSocketAddress one, InetSocketAddress other) {
        return one.getPort() == other.getPort()
                && (one.getAddress().isAnyLocalAddress()
                        || other.isUnresolved()
                        || other.getAddress().isAnyLocalAddress()
                        || one.getAddress().equals(other.getAddress()));
    }

    private static Endpoint endpointData(Listen listen, InetSocketAddress bound) {
        String protocol = listen.protocol().toString();
        return new EndpointData(bound, protocol, listen.settings().name().orElse(protocol + "-" + bound.getPort()));
    }

    /** Stops accepting at all endpoints. */
    synchronized void close() {
        closed = true;
        new CloseSteps().each("endpoints", sockets.values(), Listener::close).report();
        sockets.clear();
    }

    private synchronized void open(List<Listener> changed, List<Listener> added) {
        for (Listener listener : changed) {
            listener.becoming.what = kinds.apply(listener.listen, listener.endpoint);
        }
        for (Listener listener : added) {
            listener.becoming.what = kinds.apply(listener.listen, listener.endpoint);
            if (sockets.containsKey(listener.server)) {
                listener.server.resume();
                LOG.info(
                        "Listening on {} ({})",
                        AddressText.of(listener.endpoint.address()),
                        listener.listen.rules().map(Object::toString).orElse(listener.endpoint.protocol()));
            }
        }
    }

    private synchronized void close(List<Listener> removed, Duration drainTime) {
        for (Listener listener : removed) {
            if (sockets.remove(listener.server) != null) {
                listener.close(drainTime);
                LOG.info(
                        "Not listening on {} ({}) any more",
                        AddressText.of(listener.endpoint.address()),
                        listener.endpoint.protocol());
            }
        }
    }

    /** Endpoints that are bound. */
    private final class Bound implements Change {
        private final List<Listener> before = all;
        private final List<Listener> next;
        private final List<Listener> added;
        private final List<Listener> changed;
        private final List<Listener> removed;
        private final Duration drainTime;

        Bound(
                List<Listener> next,
                List<Listener> added,
                List<Listener> changed,
                List<Listener> removed,
                Duration drainTime) {
            this.next = List.copyOf(next);
            this.added = List.copyOf(added);
            this.changed = List.copyOf(changed);
            this.removed = List.copyOf(removed);
            this.drainTime = drainTime;
        }

        @Override
        public void commit() {
            all = next;
        }

        @Override
        public void rollBack() {
            prepared = before;
            discard(added);
        }

        /**
         * Opens the new endpoints, and closes the removed ones: what is in flight there ends within the drain time, or
         * is cut.
         */
        @Override
        public void finish() {
            open(changed, added);
            close(removed, drainTime);
            rules.accept(ruleNames());
        }
    }
}
