package io.webproxy.undertow.deadline;

/** Something with a deadline that a {@link Sweeper} looks at. Belongs to one IO thread. */
public abstract class Watched {
    /** The place in the sweeper's list, or -1 when nobody watches. */
    int slot = -1;

    /** When it expires, in the sweeper's nanoseconds; {@link Long#MAX_VALUE} for never. */
    protected abstract long deadline();

    /** The deadline has passed. What is still watched afterwards is asked again at the next sweep. */
    protected abstract void expired(long now);

    /** A sweep has come by before the deadline. */
    protected void seen(long now) {}

    /** The server is cutting what is left: end now. */
    protected abstract void cut();
}
