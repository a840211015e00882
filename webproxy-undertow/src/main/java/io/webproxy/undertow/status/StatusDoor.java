package io.webproxy.undertow.status;

import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.http.StatusPage;
import io.webproxy.route.Route;
import io.webproxy.spi.HostPattern;
import io.webproxy.spi.IpLiteral;
import io.webproxy.undertow.exchange.Exchange;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Refuses requests for the status that other sites or other machines could be behind.
 *
 * @param boundToAll whether the endpoint with a port has all addresses
 */
record StatusDoor(IntPredicate boundToAll) {
    private static final List<String> FORWARDED = List.of("Forwarded", "X-Forwarded-For", "X-Real-IP");

    /**
     * The refusal of a request, or null.
     *
     * @param authenticated whether clients of the route have to say who they are
     */
    @Nullable Answer refusal(Exchange exchange, StatusPage page, boolean authenticated) {
        RequestHead head = exchange.head();
        Route route = exchange.route();
        String host = HostPattern.hostOf(head.authority());
        InetSocketAddress local = exchange.http().getConnection().getLocalAddress(InetSocketAddress.class);
        if (!isOwn(host, local, route.host())) {
            return Answer.text(421, "The status has another host: use its address, or give its route this host.\n");
        }
        if (!head.method().equals("GET") && !head.method().equals("HEAD")) {
            return Answer.text(405, "Only GET and HEAD.\n").withHeader("Allow", "GET, HEAD");
        }
        if (!page.permits(head.clientAddress())) {
            return Answer.text(403, "Access from this address is denied.\n");
        }
        boolean open = !authenticated
                && head.clientCertificate().isEmpty()
                && page.allow().isEmpty()
                && route.access().allow().isEmpty();
        if (open && isFromElsewhere(exchange, head)) {
            // the endpoint has a loopback address, and a proxy in front of it makes it everyone's
            return Answer.text(
                    403, "The status is for this machine alone: give it basicAuth(…) or allow(…) for others.\n");
        }
        return null;
    }

    /** Whether the data would go to a page of another site: it can't read them, but it could take viewers' places. */
    static boolean isOfAnotherSite(RequestHead head) {
        String site = head.header("Sec-Fetch-Site").orElse("none");
        if (!site.equals("none") && !site.equals("same-origin")) {
            return true;
        }
        return head.header("Origin")
                .filter(origin -> !origin.toLowerCase(Locale.ROOT)
                        .endsWith("://" + head.authority().toLowerCase(Locale.ROOT)))
                .isPresent();
    }

    private boolean isOwn(String host, InetSocketAddress local, HostPattern ofRoute) {
        if (host.equals("localhost") || host.endsWith(".localhost")) {
            return true;
        }
        InetAddress named = IpLiteral.parse(host);
        if (named != null
                && (named.isLoopbackAddress()
                        || named.equals(local.getAddress())
                        || boundToAll.test(local.getPort()))) {
            return true;
        }
        return !ofRoute.isAny() && ofRoute.matches(host);
    }

    private static boolean isFromElsewhere(Exchange exchange, RequestHead head) {
        return !exchange.peer().address().isLoopbackAddress()
                || !head.clientAddress().isLoopbackAddress()
                || FORWARDED.stream().anyMatch(name -> head.header(name).isPresent());
    }
}
