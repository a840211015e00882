package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.endpoint.Acceptor;
import io.webproxy.undertow.endpoint.ClientConnection;
import io.webproxy.undertow.endpoint.ListeningSocket;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.tunnel.PublicSide;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.XnioWorker;

/**
 * The ports that tunnel agents have announced to the public side. They aren't configured endpoints: they open and close
 * with their agents. Thread-safe.
 */
final class AgentPorts implements PublicSide.Ports {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");

    private final XnioWorker worker;
    private final OpenConnections connections;
    private final BiConsumer<ClientConnection, Integer> first;
    private final Map<Integer, Listening> all = new HashMap<>();
    private final Optional<String> bind;
    private final int backlog;
    private boolean closed;

    private record Listening(ListeningSocket server, Acceptor acceptor) {
        void close() {
            acceptor.close(server);
        }
    }

    /** {@code first} gets each connection with the port that it arrived on, on its IO thread. */
    AgentPorts(
            XnioWorker worker,
            OpenConnections connections,
            ProxyConfig config,
            BiConsumer<ClientConnection, Integer> first) {
        this.worker = worker;
        this.connections = connections;
        this.bind = config.bind();
        this.backlog = config.tuning().backlog();
        this.first = first;
    }

    @Override
    public synchronized void open(int port) {
        if (all.containsKey(port)) {
            return;
        }
        if (closed) {
            throw new ProxyStartException("The tunnels of the server are closing.");
        }
        InetSocketAddress address =
                bind.map(host -> new InetSocketAddress(host, port)).orElseGet(() -> new InetSocketAddress(port));
        Acceptor acceptor = new Acceptor(connections, client -> first.accept(client, port));
        try {
            ListeningSocket server = acceptor.listen(
                    worker,
                    address,
                    OptionMap.builder()
                            .set(Options.TCP_NODELAY, true)
                            .set(Options.KEEP_ALIVE, true)
                            .set(Options.REUSE_ADDRESSES, true)
                            .set(Options.BACKLOG, Machine.backlog(backlog))
                            .getMap());
            server.resume();
            all.put(port, new Listening(server, acceptor));
            LOG.info("Listening on port {} for an agent", port);
        } catch (IOException | UnresolvedAddressException e) {
            throw new ProxyStartException(BindFailure.sentence(address, e), e);
        }
    }

    @Override
    public void close(int port) {
        Listening gone = take(port);
        if (gone != null) {
            gone.close();
            LOG.info("Not listening on port {} any more", port);
        }
    }

    private synchronized @Nullable Listening take(int port) {
        return all.remove(port);
    }

    @Override
    public void closeAll() {
        new CloseSteps().each("ports of agents", takeAll(), Listening::close).report();
    }

    private synchronized List<Listening> takeAll() {
        closed = true;
        List<Listening> left = List.copyOf(all.values());
        all.clear();
        return left;
    }
}
