package io.webproxy.undertow.status;

import io.webproxy.observe.ForwardError;
import java.time.Instant;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Something that failed.
 *
 * @param method of a request; one that isn't known is {@code other}
 * @param status that the client got; 0 without a request
 * @param route of a request, or endpoint and rule of a relayed connection
 * @param nanos how long it took; negative if that means nothing
 */
record Failure(
        Instant time,
        Leg leg,
        String error,
        String reason,
        @Nullable String method,
        int status,
        @Nullable String route,
        @Nullable String upstream,
        long nanos) {
    private static final Pattern QUERY = Pattern.compile("\\?\\S*");
    private static final Pattern HEALTH_CHECK = Pattern.compile("health check /\\S*");

    /** Whose side it was. */
    enum Leg {
        CLIENT,
        PROXY,
        UPSTREAM
    }

    /** A sentence of the log without what may hold a secret: queries, and the path of a health check. */
    static String sentence(String text) {
        return Json.cut(HEALTH_CHECK.matcher(QUERY.matcher(text).replaceAll("")).replaceAll("health check"));
    }

    static Leg leg(ForwardError error) {
        return switch (error) {
            case CLIENT_ABORTED, REQUEST_REJECTED -> Leg.CLIENT;
            case POOL_EXHAUSTED, TOTAL_TIMEOUT, APPLICATION_FAILED -> Leg.PROXY;
            default -> Leg.UPSTREAM;
        };
    }

    static String reason(ForwardError error) {
        return switch (error) {
            case CONNECT_REFUSED -> "The upstream refused the connection: nothing listens there.";
            case CONNECT_UNREACHABLE -> "There is no way to the upstream's address.";
            case DNS -> "The upstream's name has no address.";
            case CONNECT_TIMEOUT -> "The upstream didn't accept the connection in time.";
            case CONNECT_TLS -> "TLS to the upstream failed.";
            case NO_HEALTHY_UPSTREAM -> "All upstreams of the route are down.";
            case POOL_EXHAUSTED -> "All connections to the upstream were in use.";
            case UPSTREAM_PROTOCOL -> "The upstream doesn't speak HTTP/2, which was needed.";
            case UPSTREAM_CLOSED -> "The upstream closed the connection before it answered.";
            case INVALID_RESPONSE -> "The upstream's response isn't valid HTTP.";
            case RESPONSE_HEAD_TOO_LARGE -> "The upstream's response head is too large.";
            case RESPONSE_HEAD_TIMEOUT -> "The upstream didn't answer in time.";
            case RESPONSE_BODY_TRUNCATED -> "The upstream broke off its response.";
            case RESPONSE_BODY_IDLE -> "The response stayed silent for too long.";
            case TOTAL_TIMEOUT -> "The time for the whole exchange ran out.";
            case CLIENT_ABORTED -> "The client went away.";
            case APPLICATION_FAILED -> "Code of the application failed; the log has more.";
            case REQUEST_REJECTED -> "The request broke a rule or a limit.";
        };
    }
}
