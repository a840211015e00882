package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.port.Relay;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.Listen;
import io.webproxy.undertow.endpoint.RulePort;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Refuses routes whose upstream is an endpoint of the server itself, and port rules that relay to their own endpoint:
 * such requests would loop.
 *
 * <p>A host name is looked up only if the port is the same. A name that also has other machines' addresses may be that
 * of a cluster; {@code LoopGuard} then checks the requests.
 */
final class OwnEndpoints {
    private static final String LOCALHOST = "localhost";

    private final HostLookup lookup;

    /** Resolves host names; empty if that fails. */
    @FunctionalInterface
    interface HostLookup {
        List<InetAddress> addresses(String host);
    }

    OwnEndpoints(HostLookup lookup) {
        this.lookup = lookup;
    }

    /**
     * An endpoint.
     *
     * @param listen its configuration
     * @param address where it listens, or will
     */
    record Bound(Listen listen, InetSocketAddress address) {}

    /** The addresses of a configuration's endpoints that are known before a port is bound. */
    static List<Bound> known(ProxyConfig config) {
        return config.listens().stream()
                .filter(listen -> listen.port() != 0)
                .map(listen -> new Bound(
                        listen,
                        listen.settings()
                                .bind()
                                .or(config::bind)
                                .map(host -> new InetSocketAddress(host, listen.port()))
                                .orElseGet(() -> new InetSocketAddress(listen.port()))))
                .filter(bound -> !bound.address().isUnresolved())
                .toList();
    }

    /**
     * Checks every upstream of every route, and every target of a port rule: a relay may lead to another endpoint, but
     * not back to its own.
     *
     * @throws ProxyStartException with one sentence that names the route or the rule, and the fix
     */
    void check(ProxyConfig config, List<Bound> endpoints) {
        check(config.routes(), endpoints.stream().map(Bound::address).toList());
        for (Bound endpoint : endpoints) {
            checkRelays(endpoint, endpoint, endpoints, new HashSet<>());
        }
    }

    private void checkRelays(Bound first, Bound now, List<Bound> all, Set<Bound> seen) {
        if (!seen.add(now)) {
            return;
        }
        Map<String, Optional<Relay>> rules =
                now.listen().rules().map(RulePort::named).orElse(Map.of());
        rules.forEach((name, relay) -> {
            for (InetSocketAddress target : relay.map(Relay::targets).orElse(List.of())) {
                for (Bound other : all) {
                    if (isOwn(target.getHostString(), target.getPort(), List.of(other.address()))) {
                        if (other.equals(first)) {
                            throw new ProxyStartException(
                                    "port " + now.address().getPort() + ", rule " + name
                                            + ": its target " + text(target)
                                            + " leads back to this server's port "
                                            + first.address().getPort() + " (expected: the address of the service;"
                                            + " on the same machine it needs another port than the server).");
                        }
                        checkRelays(first, other, all, seen);
                    }
                }
            }
        });
    }

    /**
     * Checks every upstream of every route. It may look up names, so not for an IO thread.
     *
     * @param endpoints where the server listens, or will
     * @throws ProxyStartException with one sentence that names the route and the fix
     */
    void check(List<Route> routes, List<InetSocketAddress> endpoints) {
        for (Route route : routes) {
            for (Upstream upstream : route.upstreams()) {
                if (isOwn(upstream.host(), upstream.port(), endpoints)) {
                    throw new ProxyStartException("route " + route.name() + ": its upstream " + upstream
                            + " is an endpoint of this server (expected: the address of the service;"
                            + " on the same machine it needs another port than the server).");
                }
            }
        }
    }

    private boolean isOwn(String host, int port, List<InetSocketAddress> endpoints) {
        List<InetSocketAddress> samePort = endpoints.stream()
                .filter(endpoint -> endpoint.getPort() == port)
                .toList();
        if (samePort.isEmpty()) {
            return false;
        }
        InetAddress literal = IpLiteral.parse(host);
        if (literal != null) {
            return isOwn(literal, samePort);
        }
        if (isLocalhost(host)) {
            return samePort.stream()
                    .map(InetSocketAddress::getAddress)
                    .anyMatch(address -> address.isLoopbackAddress() || address.isAnyLocalAddress());
        }
        List<InetAddress> found = lookup.addresses(host);
        return !found.isEmpty() && found.stream().allMatch(address -> isOwn(address, samePort));
    }

    /** RFC 6761 section 6.3: these names are the loopback address. */
    private static boolean isLocalhost(String host) {
        String name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        return name.equals(LOCALHOST) || name.endsWith("." + LOCALHOST);
    }

    private static boolean isOwn(InetAddress address, List<InetSocketAddress> endpoints) {
        for (InetSocketAddress endpoint : endpoints) {
            InetAddress bound = endpoint.getAddress();
            // connecting to 0.0.0.0 or :: reaches the loopback address
            boolean reached = bound.isAnyLocalAddress()
                    ? isOfThisMachine(address)
                    : address.equals(bound) || (address.isAnyLocalAddress() && bound.isLoopbackAddress());
            if (reached) {
                return true;
            }
        }
        return false;
    }

    private static String text(InetSocketAddress target) {
        String host = target.getHostString();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + target.getPort();
    }

    private static boolean isOfThisMachine(InetAddress address) {
        if (address.isLoopbackAddress() || address.isAnyLocalAddress()) {
            return true;
        }
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return false;
        }
    }
}
