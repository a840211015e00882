package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.http.IpLiteral;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;

/**
 * Refuses routes whose upstream is an endpoint of the server itself: their requests would come back again and again.
 *
 * <p>A host name is looked up only where the port is the same. One that has other machines' addresses too may be a cluster's, and is left to the guard of running
 * requests, {@code LoopGuard}.
 */
final class OwnEndpoints {
    private static final String LOCALHOST = "localhost";

    private final HostLookup lookup;

    /** How names become addresses; empty where they can't. */
    @FunctionalInterface
    interface HostLookup {
        List<InetAddress> addresses(String host);
    }

    OwnEndpoints(HostLookup lookup) {
        this.lookup = lookup;
    }

    /** The addresses of a configuration's endpoints, as far as they are known before a port is bound. */
    static List<InetSocketAddress> known(ProxyConfig config) {
        return config.listens().stream()
                .filter(listen -> listen.port() != 0)
                .map(listen -> config.bind()
                        .map(host -> new InetSocketAddress(host, listen.port()))
                        .orElseGet(() -> new InetSocketAddress(listen.port())))
                .filter(address -> !address.isUnresolved())
                .toList();
    }

    /**
     * Looks at every upstream of every route. May look up names, so not for an IO thread.
     *
     * @param endpoints where the server listens, or will
     * @throws ProxyStartException with one sentence that names the route and the fix
     */
    void check(List<Route> routes, List<InetSocketAddress> endpoints) {
        for (Route route : routes) {
            for (Upstream upstream : route.upstreams()) {
                if (isOwn(upstream, endpoints)) {
                    throw new ProxyStartException("route " + route.name() + ": its upstream " + upstream
                            + " is an endpoint of this server (expected: the address of the service;"
                            + " on the same machine it needs another port than the server).");
                }
            }
        }
    }

    private boolean isOwn(Upstream upstream, List<InetSocketAddress> endpoints) {
        List<InetSocketAddress> samePort = endpoints.stream()
                .filter(endpoint -> endpoint.getPort() == upstream.port())
                .toList();
        if (samePort.isEmpty()) {
            return false;
        }
        InetAddress literal = IpLiteral.parse(upstream.host());
        if (literal != null) {
            return isOwn(literal, samePort);
        }
        if (isLocalhost(upstream.host())) {
            return samePort.stream()
                    .map(InetSocketAddress::getAddress)
                    .anyMatch(address -> address.isLoopbackAddress() || address.isAnyLocalAddress());
        }
        List<InetAddress> found = lookup.addresses(upstream.host());
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
            // who connects to 0.0.0.0 or :: gets to the loopback address
            boolean reached = bound.isAnyLocalAddress()
                    ? isOfThisMachine(address)
                    : address.equals(bound) || (address.isAnyLocalAddress() && bound.isLoopbackAddress());
            if (reached) {
                return true;
            }
        }
        return false;
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
