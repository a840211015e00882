package embedded;

import com.sun.net.httpserver.HttpServer;
import io.webproxy.ProxyServer;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** Serves a greeting and exposes it, until the JVM is told to end. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        HttpServer service = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        service.createContext("/hello", exchange -> {
            byte[] hello = "hello".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, hello.length);
            try (OutputStream body = exchange.getResponseBody()) {
                body.write(hello);
            }
        });
        ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .forward("http://127.0.0.1:" + service.getAddress().getPort())
                .start();
        service.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            proxy.close();
            service.stop(0);
            System.out.println("closed");
        }));
        System.out.println("ready " + proxy.uri());
        proxy.awaitClose();
    }
}
