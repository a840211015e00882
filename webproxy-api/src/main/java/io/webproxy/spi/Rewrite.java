package io.webproxy.spi;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a route changes on a request's way to the upstream, and on the answer's way back. Immutable.
 *
 * @param prefix what stands in place of the route's path prefix: empty text for nothing (it is stripped), absent for
 *     the prefix itself
 * @param pattern with {@code replacement}: what is replaced in the path, after the prefix's change; absent for nothing
 * @param replacement in {@link java.util.regex.Matcher#replaceAll} form
 * @param locations whether places that the upstream names get the route's prefix back, and {@code Destination} loses it
 * @param requestHeaders in order
 * @param responseHeaders in order
 * @param hostHeader what {@code Host} says
 */
public record Rewrite(
        Optional<String> prefix,
        Optional<Pattern> pattern,
        String replacement,
        boolean locations,
        List<HeaderEdit> requestHeaders,
        List<HeaderEdit> responseHeaders,
        HostHeader hostHeader) {
    /** Changes nothing. */
    public static final Rewrite NONE =
            new Rewrite(Optional.empty(), Optional.empty(), "", false, List.of(), List.of(), HostHeader.ofClient());

    /** Copies the lists. */
    public Rewrite {
        Objects.requireNonNull(prefix, "prefix");
        Objects.requireNonNull(pattern, "pattern");
        Objects.requireNonNull(replacement, "replacement");
        requestHeaders = List.copyOf(requestHeaders);
        responseHeaders = List.copyOf(responseHeaders);
        Objects.requireNonNull(hostHeader, "hostHeader");
    }
}
