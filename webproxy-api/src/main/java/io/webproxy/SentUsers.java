package io.webproxy;

import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.AcceptedPasswords;
import io.webproxy.spi.IdentityField;
import io.webproxy.spi.SessionAffinity;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds routes that can't send their users to upstreams, or that match a field of users, which no request has.
 *
 * @param server the server-wide authenticator; null for none
 * @param certificateFields the fields of client certificates
 */
record SentUsers(@Nullable Authenticator server, Set<String> certificateFields) {
    /** The problems, a sentence each. */
    List<String> problems(List<Route> routes) {
        List<String> problems = new ArrayList<>();
        Set<String> fields =
                routes.stream().flatMap(route -> route.userField().stream()).collect(Collectors.toSet());
        for (Route route : routes) {
            route.headers().stream()
                    .filter(match -> fields.stream().anyMatch(sent -> IdentityField.isAlike(sent, match.name())))
                    .forEach(match -> problems.add("route " + route.name() + ": matchHeader(\"" + match.name()
                            + "\") can never match, because sendUser removes it from all requests (expected: another"
                            + " field)"));
            if (route.upstreamGroup().map(UpstreamGroup::balancing).orElse(null) instanceof SessionAffinity affinity
                    && !affinity.isCookie()
                    && fields.stream().anyMatch(sent -> IdentityField.isAlike(sent, affinity.name()))) {
                problems.add("route " + route.name() + ": Balancing.header(\"" + affinity.name()
                        + "\") never finds a session, because sendUser removes it from all requests (expected: another"
                        + " field)");
            }
            String field = route.userField().orElse(null);
            if (field == null) {
                continue;
            }
            String sent = "route " + route.name() + ": sendUser(\"" + field + "\")";
            if (certificateFields.stream().anyMatch(other -> IdentityField.isAlike(field, other))) {
                problems.add(sent + " (expected: another field than that of client certificates)");
            }
            Authenticator authenticator = route.access().ownAuthenticator()
                    ? route.access().authenticator().orElse(null)
                    : server;
            if (authenticator instanceof BasicAuth basic
                    && basic.accepted() instanceof AcceptedPasswords.Pair pair
                    && !pair.sendable()) {
                problems.add(sent + " with a user of other characters (expected: a user of visible ASCII characters)");
            }
        }
        return problems;
    }
}
