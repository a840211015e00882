package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.route.Balancing;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.samples.demo.DemoService;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A service with a stand-in: the first upstream gets every request as long as it is well, else the second one. After a
 * few seconds the first one ends, to show it; the address stays, and no request fails.
 */
public final class Failover {
    private Failover() {}

    /**
     * Serves until the JVM is ended; takes the external port, 8443 without one, and after how many seconds the first
     * service ends, 10 without.
     */
    public static void main(String[] args) throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        int seconds = args.length < 2 ? 10 : Integer.parseInt(args[1]);
        CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS).execute(end::countDown);
        run(args.length == 0 ? 8443 : Integer.parseInt(args[0]), end, System.out);
    }

    static void run(int externalPort, CountDownLatch end, PrintStream out) throws InterruptedException {
        try (DemoService first = DemoService.ofModel("first");
                DemoService second = DemoService.ofModel("second");
                ProxyServer proxy = ProxyServer.builder()
                        .https(externalPort)
                        .route(r -> r.forward(UpstreamGroup.of(
                                        "http://127.0.0.1:" + first.port(), "http://127.0.0.1:" + second.port())
                                .balancing(Balancing.failover())
                                .healthCheck(HealthCheck.path("/v1/models").withInterval(Duration.ofSeconds(1)))))
                        .closeOnShutdown(true)
                        .start()) {
            out.printf("ready %1$s%ntry: curl -k %1$sv1/models%n", proxy.uri());
            end.await();
            first.close();
            out.println("the first service has ended: the second one answers");
            proxy.awaitClose();
        }
    }
}
