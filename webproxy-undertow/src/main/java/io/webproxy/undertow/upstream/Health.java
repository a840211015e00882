package io.webproxy.undertow.upstream;

/** The health of one upstream by its active health check. Thread-safe. */
public interface Health {
    /** The health of an upstream without a health check. */
    Health UNCHECKED = () -> true;

    /** Whether the upstream is healthy, so that requests may be sent to it. */
    boolean isHealthy();
}
