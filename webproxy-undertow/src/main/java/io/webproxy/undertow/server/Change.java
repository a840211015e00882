package io.webproxy.undertow.server;

/**
 * A change of one part that is prepared; it is either {@linkplain #commit committed} or {@linkplain #rollBack rolled
 * back}, once.
 */
@FunctionalInterface
interface Change {
    /** That of a part that has nothing to change. */
    Change NONE = () -> {};

    /** Puts it in force: quick, and nothing that can fail. */
    void commit();

    /** Takes back what was prepared. */
    default void rollBack() {}

    /**
     * Begins what it brings, and ends what it has replaced: when all parts are committed, and perhaps when the server
     * has been closed meanwhile.
     */
    default void finish() {}
}
