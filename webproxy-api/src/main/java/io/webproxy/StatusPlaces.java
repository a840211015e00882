package io.webproxy;

import io.webproxy.http.StatusPage;
import io.webproxy.route.Route;
import io.webproxy.spi.Access;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.Listen;
import io.webproxy.tls.ClientCertificates;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Finds status pages that anyone could read who reaches an endpoint.
 *
 * @param bind the server's address; null for all
 * @param authenticated whether the server has an authenticator
 * @param clientCertificates the server's
 * @param tunnelled whether clients reach the routes through a tunnel too
 */
record StatusPlaces(
        @Nullable String bind, boolean authenticated, ClientCertificates clientCertificates, boolean tunnelled) {
    /** The problems, a sentence each. */
    List<String> problems(List<Listen> listens, List<Route> routes) {
        List<String> problems = new ArrayList<>();
        for (Listen listen : listens) {
            listen.settings()
                    .statusPage()
                    .filter(page -> page.allow().isEmpty() && !authenticated && isOpen(listen))
                    .ifPresent(page -> problems.add(listen.verb() + " " + listen.port() + ": answer: " + page
                            + " (expected: bind(\"127.0.0.1\") on the endpoint, basicAuth(…) on the server, or"
                            + " StatusPage.withAllow(…), because everyone who reaches the port could read it)"));
        }
        boolean open = tunnelled || listens.stream().anyMatch(listen -> listen.isHttp() && isOpen(listen));
        for (Route route : routes) {
            StatusPage page = route.statusPage().orElse(null);
            if (page != null && open && page.allow().isEmpty() && !isProtected(route.access())) {
                problems.add("route " + route.name() + ": answer: " + page
                        + " (expected: basicAuth(…) or allow(…) on the route, or endpoints bound to 127.0.0.1 alone,"
                        + " because everyone who reaches the server could read it)");
            }
        }
        return problems;
    }

    private boolean isProtected(Access access) {
        return !access.allow().isEmpty()
                || (access.ownAuthenticator() ? access.authenticator().isPresent() : authenticated);
    }

    private boolean isOpen(Listen listen) {
        String host = listen.settings().bind().orElse(bind == null ? "" : bind);
        boolean certified = listen.protocol() == Listen.Protocol.HTTPS
                && listen.settings()
                        .clientCertificates()
                        .orElse(clientCertificates)
                        .isRequired();
        return !isLoopback(host) && !certified;
    }

    private static boolean isLoopback(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        InetAddress address = IpLiteral.parse(name);
        return address == null ? name.equals("localhost") || name.endsWith(".localhost") : address.isLoopbackAddress();
    }
}
