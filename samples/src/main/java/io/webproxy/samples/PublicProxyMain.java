package io.webproxy.samples;

import io.webproxy.PublicProxy;
import io.webproxy.tunnel.TunnelServer;
import java.io.PrintStream;
import java.nio.file.Path;

/**
 * The public proxy of a service behind NAT: private proxies dial it, and it hands TLS clients over to them by server
 * name. It has no certificate for those names: TLS passes through.
 *
 * <p>Arguments: the port, the agents file, and the directory of its key, which is created at the first start.
 */
public final class PublicProxyMain {
    private PublicProxyMain() {}

    /** Serves until the JVM ends. */
    public static void main(String[] args) throws InterruptedException {
        if (args.length != 3) {
            System.err.println("usage: PublicProxyMain PORT AGENTS_FILE IDENTITY_DIRECTORY");
            return;
        }
        run(args, System.out);
    }

    static void run(String[] args, PrintStream out) throws InterruptedException {
        TunnelServer tunnels = TunnelServer.agents(Path.of(args[1])).identity(Path.of(args[2]));
        try (PublicProxy proxy =
                PublicProxy.start(Integer.parseInt(args[0]), tunnels, builder -> builder.closeOnShutdown(true))) {
            out.printf("identity %s%nready tcp://localhost:%d%n", proxy.fingerprint(), proxy.port());
            proxy.server().awaitClose();
        }
    }
}
