package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.route.Route;
import io.webproxy.undertow.message.FieldNames;
import java.util.ArrayList;
import java.util.List;

/**
 * The fields in which routes tell their upstreams who the authenticated user is. Clients can't send them, on any route.
 * Immutable.
 */
public record UserFields(List<HttpString> names) {
    /** Of a server without such routes. */
    public static final UserFields NONE = new UserFields(List.of());

    /** Those of a server's routes. */
    public static UserFields of(List<Route> routes) {
        List<HttpString> names = routes.stream()
                .flatMap(route -> route.userField().stream())
                .map(HttpString::new)
                .distinct()
                .toList();
        return names.isEmpty() ? NONE : new UserFields(names);
    }

    /** Removes them from the fields of a request, with all names that servers could confuse with them. */
    public void strip(HeaderMap fields) {
        if (names.isEmpty()) {
            return;
        }
        List<HttpString> forged = null;
        for (long i = fields.fastIterateNonEmpty(); i != -1; i = fields.fiNextNonEmpty(i)) {
            HttpString name = fields.fiCurrent(i).getHeaderName();
            if (isOne(name)) {
                forged = forged == null ? new ArrayList<>() : forged;
                forged.add(name);
            }
        }
        if (forged != null) {
            forged.forEach(fields::remove);
        }
    }

    private boolean isOne(HttpString name) {
        for (HttpString each : names) {
            if (FieldNames.isAlike(name, each)) {
                return true;
            }
        }
        return false;
    }
}
