package io.webproxy.undertow.upstream;

/** What a health check says of one upstream. Thread-safe. */
public interface Health {
    /** That of an upstream that nobody checks. */
    Health UNCHECKED = () -> true;

    /** Whether requests may go there. */
    boolean isWell();
}
