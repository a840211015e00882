package io.webproxy.observe;

import io.webproxy.spi.TimeoutClassChangeData;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.util.Optional;

/** An exchange got its timeout class, or a longer one. Made by the engine; immutable. */
public sealed interface TimeoutClassChange permits TimeoutClassChangeData {
    /** The client's address: the peer's, or the one that a trusted proxy named. */
    InetAddress client();

    /** The method as received. */
    String method();

    /** The authority as the client sent it. */
    String authority();

    /** The path, undecoded, without the query. */
    String path();

    /** The route's name. */
    String route();

    /** The class until now; empty when the request has just chosen its first. */
    Optional<TimeoutClass> from();

    /** The class from now on. */
    TimeoutClass to();
}
