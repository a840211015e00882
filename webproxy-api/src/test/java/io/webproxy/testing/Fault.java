package io.webproxy.testing;

import java.time.Duration;

/**
 * What happens to one direction of a connection behind a number of its bytes.
 *
 * @param pause how long a delay, or the pause before each byte of a trickle, lasts
 */
public record Fault(Kind kind, long offset, Duration pause) {
    /** The kinds. */
    public enum Kind {
        /** Nothing. */
        NONE,
        /** Nothing goes on for the pause, then everything does. */
        DELAY,
        /** From there on {@link #ALONE} bytes go alone. */
        BYTE_WISE,
        /** Each byte goes alone, behind a pause of its own. */
        TRICKLE,
        /** Nothing goes on any more, and the connection stays. */
        STALL,
        /** This direction ends, the other goes on. */
        HALF_CLOSE,
        /** The connection is closed in both directions. */
        CUT,
        /** It is reset. */
        RESET
    }

    /** How many bytes go one by one. */
    public static final int ALONE = 1500;

    /** No fault. */
    public static final Fault NONE = new Fault(Kind.NONE, 0, Duration.ZERO);

    /** A fault of a kind without a pause. */
    public static Fault of(Kind kind, long offset) {
        return new Fault(kind, offset, Duration.ZERO);
    }
}
