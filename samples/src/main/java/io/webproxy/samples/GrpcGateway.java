package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.route.Balancing;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.UpstreamGroup;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * A gateway for a gRPC service, such as a model server, that runs on one or more ports: it terminates TLS, sends calls
 * only to upstreams that pass the gRPC health check, and prints a line with the status of each call.
 */
public final class GrpcGateway {
    private static final String SERVICE = "h2c://127.0.0.1:50051";
    private static final String HINTS = """
        try: grpcurl -insecure localhost:%1$d grpc.health.v1.Health/Check
        try: grpcurl -insecure -max-time 2 localhost:%1$d list
        """;

    private GrpcGateway() {}

    /**
     * Serves until the JVM ends; takes the external port, default 8443, and the service's URI, default
     * h2c://127.0.0.1:50051.
     */
    public static void main(String[] args) throws InterruptedException {
        String[] services = args.length < 2 ? new String[] {SERVICE} : Arrays.copyOfRange(args, 1, args.length);
        run(args.length == 0 ? 8443 : Integer.parseInt(args[0]), services, System.out);
    }

    static void run(int externalPort, String[] services, PrintStream out) throws InterruptedException {
        try (ProxyServer proxy = gateway(externalPort, services, out)) {
            int port = proxy.endpoints().get(0).address().getPort();
            out.printf("ready %s%n" + HINTS.formatted(port), proxy.uri());
            proxy.awaitClose();
        }
    }

    private static ProxyServer gateway(int externalPort, String[] services, PrintStream out) {
        return ProxyServer.builder()
                .https(externalPort)
                .route(r -> r.forward(UpstreamGroup.of(services)
                        .balancing(Balancing.leastConnections())
                        .healthCheck(HealthCheck.grpc().withInterval(Duration.ofSeconds(2)))))
                .observer(ProxyObserver.async(new CallPrinter(out), 1000))
                .closeOnShutdown(true)
                .start();
    }

    private record CallPrinter(PrintStream out) implements ProxyObserver {
        @Override
        public void exchangeEnded(ExchangeRecord ended) {
            out.printf(
                    Locale.ROOT,
                    "%s has ended with %s after %.1f s%s%s%n",
                    ended.path(),
                    ended.grpcStatus().map(status -> "status " + status).orElse("no status"),
                    ended.total().toMillis() / 1000.0,
                    ended.upstream().map(upstream -> " at " + upstream).orElse(""),
                    ended.error().map(error -> ", " + error).orElse(""));
        }
    }
}
