package io.webproxy.undertow.server;

import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.observe.Recorder;
import java.util.List;

/** Tunnels of a server that has none. */
final class TunnelSidesForTests {
    private TunnelSidesForTests() {}

    static TunnelSides none(Recorder recorder) {
        return new TunnelSides(new TunnelSides.Lent(
                null,
                List.of(),
                thread -> {
                    throw new AssertionError("no threads");
                },
                new DefaultByteBufferPool(true, 8192),
                new DefaultByteBufferPool(true, 8192),
                DescriptorRoom.unlimited(),
                new OpenConnections(DescriptorRoom.unlimited(), System::nanoTime),
                recorder,
                () -> null,
                () -> admitted -> {}));
    }
}
