package io.webproxy.observe;

import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * An exchange got its timeout class, or a longer one.
 *
 * @param client the client's address: the peer's, or the one that a trusted proxy named
 * @param method as it came
 * @param authority as the client gave it
 * @param path undecoded, without the query
 * @param route the route's name
 * @param from the class until now, or null when the request has just chosen its first
 * @param to the class from now on
 */
public record TimeoutClassChange(
        InetAddress client,
        String method,
        String authority,
        String path,
        String route,
        @Nullable TimeoutClass from,
        TimeoutClass to) {}
