package io.webproxy.undertow.deadline;

import java.util.function.LongSupplier;

/** Rooms of a test's own. */
public final class DescriptorRooms {
    private DescriptorRooms() {}

    /** A room of this limit, of which {@code open} tells how many are open. */
    public static DescriptorRoom of(long limit, LongSupplier open) {
        return new DescriptorRoom(limit, open, System::nanoTime);
    }
}
