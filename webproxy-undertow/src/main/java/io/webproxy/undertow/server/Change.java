package io.webproxy.undertow.server;

/**
 * A prepared change of one part: it is either {@linkplain #commit committed} or {@linkplain #rollBack rolled back},
 * once.
 */
@FunctionalInterface
interface Change {
    /** The change of a part that has nothing to change. */
    Change NONE = () -> {};

    /** Puts it in force: quick, and can't fail. */
    void commit();

    /** Undoes the preparation. */
    default void rollBack() {}

    /**
     * Starts what is new, and stops what was replaced, after all parts are committed; possibly when the server has been
     * closed meanwhile.
     */
    default void finish() {}
}
