package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.samples.demo.DemoService;
import java.io.PrintStream;

/**
 * One public port for several services, routed by host and path, as {@code handle} and {@code handle_path} do in a
 * Caddyfile. {@code /v1/models} goes to the chat model, {@code /embedding-model/v1/models} to the embedding model,
 * which also sees {@code /v1/models}.
 */
public final class PathRouting {
    private PathRouting() {}

    /** Serves until the JVM ends; takes the external port, default 8443. */
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
