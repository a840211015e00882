package io.webproxy.samples;

import io.webproxy.PrivateProxy;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The private proxy of a service behind NAT: it listens on no port, dials the public proxy, and relays clients to an
 * inner server, which terminates their TLS.
 *
 * <p>Arguments: host and port of the public proxy, its identity, this proxy's key, the server name to announce, host
 * and port of the inner server.
 */
public final class PrivateProxyMain {
    private static final Duration PATIENCE = Duration.ofDays(1);

    private PrivateProxyMain() {}

    /** Serves until the JVM ends. */
    public static void main(String[] args) throws InterruptedException {
        if (args.length != 5) {
            System.err.println("usage: PrivateProxyMain PUBLIC_HOST:PORT sha256:HEX IDENTITY NAME INNER_HOST:PORT");
            return;
        }
        run(args, System.out);
    }

    static void run(String[] args, PrintStream out) throws InterruptedException {
        try (PrivateProxy proxy = PrivateProxy.start(
                args[0],
                tunnel -> tunnel.server(args[1]).identity(Path.of(args[2])).announce(args[3], args[4]),
                builder -> builder.closeOnShutdown(true))) {
            if (proxy.awaitAnnounced(PATIENCE)) {
                out.printf("ready %s%n", args[3]);
            }
            proxy.server().awaitClose();
        }
    }
}
