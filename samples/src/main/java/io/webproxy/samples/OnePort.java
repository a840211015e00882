package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.port.Relay;
import io.webproxy.port.Sni;
import io.webproxy.samples.demo.DemoService;
import io.webproxy.tls.Certificates;
import java.io.PrintStream;
import java.util.List;

/**
 * One public port for several protocols: SSH goes to sshd, TLS for one server name passes through to a TLS server, and
 * all other HTTP, in cleartext or over TLS, goes to services by path and sub-domain.
 *
 * <p>Arguments, all optional: the port, the address of sshd, the server name to pass through, and its target.
 */
public final class OnePort {
    private static final List<String> DEFAULTS = List.of("2222", "127.0.0.1:22", "db.localhost", "127.0.0.1:8444");
    /**
     * Guessing passwords takes far more; a person, scp, git and an editor that opens its own connections take fewer.
     */
    private static final int NEW_SSH_PER_MINUTE = 20;

    private OnePort() {}

    /** Serves until the JVM ends. */
    public static void main(String[] args) throws InterruptedException {
        run(args, System.out);
    }

    static void run(String[] args, PrintStream out) throws InterruptedException {
        String[] given = DEFAULTS.toArray(String[]::new);
        System.arraycopy(args, 0, given, 0, Math.min(args.length, given.length));
        try (DemoService chat = DemoService.ofModel("chat-model");
                DemoService embedding = DemoService.ofModel("embedding-model");
                ProxyServer proxy = listen(given, local(chat), local(embedding))) {
            int port = proxy.endpoints().get(0).address().getPort();
            out.printf(
                    "ready https://localhost:%1$d/%n"
                            + "try: ssh -p %1$d localhost%n"
                            + "try: curl http://localhost:%1$d/v1/models%n"
                            + "try: curl -k https://localhost:%1$d/embedding-model/v1/models%n"
                            + "try: curl -k https://embedding.localhost:%1$d/v1/models%n"
                            + "try: openssl s_client -connect localhost:%1$d -servername %2$s%n",
                    port, given[2]);
            proxy.awaitClose();
        }
    }

    private static ProxyServer listen(String[] given, String chat, String embedding) {
        Relay ssh = Relay.to(given[1]).withNewConnectionsPerMinute(NEW_SSH_PER_MINUTE);
        return ProxyServer.builder()
                .listen(
                        Integer.parseInt(given[0]),
                        port -> port.ssh(ssh)
                                .tls(Sni.of(given[2]), given[3])
                                .https()
                                .http()
                                .silent(ssh)) // SSH clients that wait for the server to speak first
                .certificates(Certificates.selfSigned("localhost", "embedding.localhost"))
                .forward(chat)
                .route(r -> r.path("/embedding-model/").stripPrefix().forward(embedding))
                .route(r -> r.host("embedding.localhost").forward(embedding))
                .closeOnShutdown(true)
                .start();
    }

    private static String local(DemoService service) {
        return "http://127.0.0.1:" + service.port();
    }
}
