package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.samples.demo.DemoService;
import java.io.PrintStream;

/**
 * One public port for several services, told apart by host and path: what a Caddyfile with {@code handle} and
 * {@code handle_path} does. {@code /v1/models} is asked of the chat model, {@code /embedding-model/v1/models} of the
 * embedding model, which sees {@code /v1/models} too.
 */
public final class PathRouting {
    private PathRouting() {}

    /** Serves until the JVM is ended; takes the external port, 8443 without one. */
    public static void main(String[] args) throws InterruptedException {
        run(args.length == 0 ? 8443 : Integer.parseInt(args[0]), System.out);
    }

    static void run(int externalPort, PrintStream out) throws InterruptedException {
        try (DemoService chat = DemoService.ofModel("chat-model");
                DemoService embedding = DemoService.ofModel("embedding-model");
                ProxyServer proxy = route(externalPort, local(chat), local(embedding))) {
            out.printf(
                    "ready %1$s%ntry: curl -k %1$sv1/models%ntry: curl -k %1$sembedding-model/v1/models%n"
                            + "try: curl -kL %1$sembedding-model%n",
                    proxy.uri());
            proxy.awaitClose();
        }
    }

    private static ProxyServer route(int externalPort, String chat, String embedding) {
        return ProxyServer.builder()
                .https(externalPort)
                .forward(chat)
                .route(r -> r.path("/embedding-model/").stripPrefix().forward(embedding))
                .route(r -> r.host("embedding.localhost").forward(embedding))
                .canonicalHost("localhost", "www.localhost")
                .closeOnShutdown(true)
                .start();
    }

    private static String local(DemoService service) {
        return "http://127.0.0.1:" + service.port();
    }
}
