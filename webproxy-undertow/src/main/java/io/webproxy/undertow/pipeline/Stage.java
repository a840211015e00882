package io.webproxy.undertow.pipeline;

/** One of the stages that a request passes before it is forwarded. Thread-safe. */
@FunctionalInterface
interface Stage {
    /**
     * Decides about a request.
     *
     * @return whether it goes on to the next stage now; if not, it has been answered, or goes on later by
     *     {@link Passage#goOn}
     */
    boolean pass(Passage passage) throws Exception;
}
