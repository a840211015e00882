package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.samples.demo.DemoService;
import java.io.PrintStream;

/**
 * Exposes a service in the same JVM: the service listens on 127.0.0.1, the proxy in front of it serves HTTPS to all
 * clients.
 */
public final class ExposeService {
    private ExposeService() {}

    /** Serves until the JVM ends; takes the external port, default 8443. */
    public static void main(String[] args) throws InterruptedException {
        run(args.length == 0 ? 8443 : Integer.parseInt(args[0]), System.out);
    }

    static void run(int externalPort, PrintStream out) throws InterruptedException {
        try (DemoService service = DemoService.start();
                ProxyServer proxy = expose(service.port(), externalPort)) {
            out.println("ready " + proxy.uri());
            proxy.awaitClose();
        }
    }

    private static ProxyServer expose(int internalPort, int externalPort) {
        return ProxyServer.builder()
                .https(externalPort)
                .forward("http://127.0.0.1:" + internalPort)
                .closeOnShutdown(true)
                .start();
    }
}
