package io.webproxy.http;

import java.util.List;
import java.util.Optional;

/**
 * A read-only view of a response's status and fields. The rules of {@link RequestHead} on names, lifetime and threads
 * apply here too.
 */
public interface ResponseHead {
    /** The status code, 100 to 599 (RFC 9110 section 15); up to 999 from a lenient upstream. */
    int status();

    /** The first value of a field; empty when the response has none. */
    Optional<String> header(String name);

    /** All values of a field in order; empty when the response has none. */
    List<String> headers(String name);

    /** The names of all fields, each once, spelled as received. Their order means nothing. */
    default List<String> headerNames() {
        return List.of();
    }
}
