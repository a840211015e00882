package io.webproxy.undertow.exchange;

/** What runs when an exchange is silent for too long, or is cut. */
public interface Expiry {
    /** The limit of the timeout class has passed. */
    void idle();

    /** The limit of the whole exchange has passed. */
    void overdue();

    /** The exchange has been in flight for a while; called twenty times a second. */
    void lasting(long now);

    /** The server cuts what is left. */
    void cut();

    /**
     * The client's request body is malformed or above a limit.
     *
     * @param status what the client is to be answered, as far as it can be
     */
    void requestBroken(int status, String detail);

    /**
     * The exchange is over: what is still held for it is to be let go. Undertow ends it by itself when the client's
     * connection closes.
     */
    default void ended() {}
}
