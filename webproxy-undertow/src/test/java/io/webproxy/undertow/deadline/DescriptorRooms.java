package io.webproxy.undertow.deadline;

import java.util.function.LongSupplier;

/** Rooms of a test's own. */
public final class DescriptorRooms {
    private DescriptorRooms() {}

    /** A room of this limit, of which {@code open} tells how many are open. */
    public static DescriptorRoom of(long limit, LongSupplier open) {
        return of(limit, open, System::nanoTime);
    }

    /** The same by a clock of the test's own: what is open is counted anew after 20 ms. */
    public static DescriptorRoom of(long limit, LongSupplier open, LongSupplier nanoClock) {
        return new DescriptorRoom(limit, open, nanoClock);
    }
}
