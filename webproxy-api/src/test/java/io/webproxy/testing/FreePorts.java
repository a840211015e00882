package io.webproxy.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports for programs that must be told one, and can't be handed a socket. They are below those that the kernel gives
 * out by itself: no connection and no other server on port 0 takes one between this look and the program's start.
 */
public final class FreePorts {
    private static final int LOWEST = 10_240;
    private static final int USUAL_END = 32_768;

    private FreePorts() {}

    public static int next() {
        for (int attempts = 0; attempts < 1000; attempts++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, end());
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // in use
            }
        }
        throw new IllegalStateException("no free port from " + LOWEST + " to " + end());
    }

    private static int end() {
        try {
            String range = Files.readString(Path.of("/proc/sys/net/ipv4/ip_local_port_range"));
            int start = Integer.parseInt(range.strip().split("\\s+")[0]);
            return start > LOWEST + 1000 ? start : USUAL_END;
        } catch (IOException e) {
            return USUAL_END;
        }
    }
}
