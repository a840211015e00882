package io.webproxy.undertow.exchange;

/** Handles an exchange whose time limit passes, or that is cut. */
public interface Expiry {
    /** The idle limit of the timeout class has passed. */
    void idle();

    /** The limit of the whole exchange has passed. */
    void overdue();

    /** Called on each sweep, twenty times a second, while the exchange lasts. */
    void lasting(long now);

    /** The server cuts what is left after draining. */
    void cut();

    /**
     * The client's request body is malformed or above a limit.
     *
     * @param status the status to answer with, if an answer is still possible
     */
    void requestBroken(int status, String detail);

    /**
     * The exchange is over: frees what is still held for it. Undertow ends it by itself when the client's connection
     * closes.
     */
    default void ended() {}
}
