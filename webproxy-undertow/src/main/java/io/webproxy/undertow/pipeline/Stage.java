package io.webproxy.undertow.pipeline;

/** One of the stages that a request passes before it is forwarded. Thread-safe. */
@FunctionalInterface
interface Stage {
    /**
     * Handles a request.
     *
     * @return true to continue with the next stage; false if the request was answered, or continues later by
     *     {@link Passage#goOn}
     */
    boolean pass(Passage passage) throws Exception;
}
