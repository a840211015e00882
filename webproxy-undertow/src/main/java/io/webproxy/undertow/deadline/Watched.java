package io.webproxy.undertow.deadline;

/** Something with a deadline that a {@link Sweeper} watches. Belongs to one IO thread. */
public abstract class Watched {
    /** The index in the sweeper's list, or -1 if it isn't watched. */
    int slot = -1;

    /** When it expires, in the sweeper's nanoseconds; {@link Long#MAX_VALUE} for never. */
    protected abstract long deadline();

    /** The deadline has passed. If it is still watched afterwards, the next sweep checks it again. */
    protected abstract void expired(long now);

    /** A sweep passed before the deadline. */
    protected void seen(long now) {}

    /** The server cuts what is left after draining: end now. */
    protected abstract void cut();
}
