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
 * Failover: the first upstream gets all requests as long as it is healthy, otherwise the second one does. To show that,
 * the first one stops after a few seconds; no request fails.
 */
public final class Failover {
    private Failover() {}

    /**
     * Serves until the JVM ends; takes the external port, default 8443, and the seconds until the first service stops,
     * default 10.
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
            out.println("the first service has stopped: the second one answers");
            proxy.awaitClose();
        }
    }
}
