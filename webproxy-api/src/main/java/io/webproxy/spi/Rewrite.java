package io.webproxy.spi;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A route's changes of requests and responses. Immutable.
 *
 * @param prefix replaces the route's path prefix: an empty string strips it, absent keeps it
 * @param pattern with {@code replacement}: the replaced parts of the path, after the prefix's change; absent for none
 * @param replacement in {@link java.util.regex.Matcher#replaceAll} form
 * @param locations whether paths in the upstream's responses get the route's prefix back, and {@code Destination} has
 *     it stripped
 * @param requestHeaders in order
 * @param responseHeaders in order
 * @param hostHeader the {@code Host} for the upstream
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
