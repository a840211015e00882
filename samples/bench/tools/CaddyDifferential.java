import io.webproxy.ProxyServer;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Asks Caddy and this proxy, which have the same routes, for the same hosts and paths, and prints what their upstreams see. Arguments: Caddy's program, a working
 * directory.
 */
final class CaddyDifferential {
    private static final int QUIET_MILLIS = 3000;

    /** A request, and why the two may differ; empty where they must not. */
    private record Case(String host, String target, String why) {}

    private static Case same(String host, String target) {
        return new Case(host, target, "");
    }

    private static final String CASE = "A path is case-sensitive (RFC 3986 section 6.2.2.1); Caddy's matcher isn't.";
    private static final String QUERY = "Caddy's redir sends what is written there; here the client's query stays.";
    private static final String BYTES =
            "Caddy cleans what it strips; here what is left passes byte for byte, for it stays below the prefix.";
    private static final String DOTS =
            "The dots lead out of the prefix (RFC 3986 section 5.2.4): the request isn't one for its upstream.";
    private static final String READINGS =
            "Upstreams read it as paths of different routes: what one of them lets in must not be served by another.";
    private static final String ROOT = "It leads above the root: upstreams don't agree on where that is.";
    private static final String BACKSLASH =
            "A backslash is no character of a path (RFC 3986 section 3.3); some upstreams take it for a slash.";
    private static final String EMPTY_QUERY = "An empty query is left away; the path is the same.";
    private static final String HOST = "Both have no such host; here that is 404, with Caddy an empty 200.";
    private static final String DOT =
            "A name with a trailing dot is the same name (RFC 3986 section 3.2.2); Caddy has no such host.";
    private static final String IPV6 = "It is the same address in another form (RFC 5952); Caddy compares the text.";

    private static final List<Case> CASES = List.of(
            same("one.test", "/"),
            same("one.test", "/?x=1"),
            same("one.test", "/v1/models"),
            same("one.test", "/v1/models/"),
            same("one.test", "/v1/models/7?x=1"),
            same("one.test", "/v1/modelsx"),
            new Case("one.test", "/V1/Models", CASE),
            same("one.test", "/embedding-model"),
            new Case("one.test", "/embedding-model?x=1", QUERY),
            same("one.test", "/embedding-model/"),
            same("one.test", "/embedding-model/?x=1"),
            same("one.test", "/embedding-model/v1/models"),
            same("one.test", "/embedding-model/v1/models?a=%20&b=/../c"),
            same("one.test", "/embedding-modelx/v1"),
            same("one.test", "/embedding-model/a%2Fb"),
            same("one.test", "/embedding-model/a%20b/%c3%a4"),
            same("one.test", "/embedding-model/%41%7e"),
            new Case("one.test", "/embedding-model//v1", BYTES),
            new Case("one.test", "/embedding-model/./v1", BYTES),
            new Case("one.test", "/embedding-model/x/../v1", BYTES),
            same("one.test", "/embedding-model/../v1/models"),
            new Case("one.test", "/embedding-model/..", DOTS),
            same("one.test", "/%65mbedding-model/v1"),
            same("one.test", "//embedding-model/v1"),
            same("one.test", "/x/../embedding-model/v1"),
            new Case("one.test", "/embedding-model%2Fv1", READINGS),
            new Case("one.test", "/embedding-model/..%2Fv1", READINGS),
            new Case("one.test", "/embedding-model;x/v1", READINGS),
            same("one.test", "/embedding-model/v1;x=y/z"),
            same("one.test", "/embedding-model/%2e%2e/v1/models"),
            same("one.test", "/api"),
            same("one.test", "/api?x"),
            same("one.test", "/api/"),
            same("one.test", "/api/x/y/"),
            same("one.test", "/apix"),
            same("one.test", "/api/api/x"),
            same("one.test", "/api/%2541"),
            new Case("one.test", "/api/?", EMPTY_QUERY),
            same("one.test", "/a//b"),
            same("one.test", "/a/%2e/b"),
            same("one.test", "/v1/%6dodels"),
            same("one.test", "/v1//models"),
            same("one.test", "/%zz"),
            new Case("one.test", "/a\\b", BACKSLASH),
            new Case("one.test", "/../v1", ROOT),
            same("ONE.Test", "/v1/models"),
            same("one.test:8443", "/v1/models"),
            new Case("one.test.", "/v1/models", DOT),
            new Case("ONE.TEST.:1", "/embedding-model/x", DOT),
            same("chat.one.test", "/v1/models"),
            same("CHAT.one.test:1", "/embedding-model/x"),
            same("www.one.test", "/api/x"),
            new Case("a.b.one.test", "/", HOST),
            new Case("xone.test", "/", HOST),
            new Case("one.test.evil.test", "/", HOST),
            new Case("unknown.test", "/v1/models", HOST),
            new Case("127.0.0.1", "/", HOST),
            same("[::1]", "/x"),
            same("[::1]:8080", "/x"),
            new Case("[0:0:0:0:0:0:0:1]", "/x", IPV6),
            same("xn--bcher-kva.test", "/x"),
            new Case("XN--BCHER-KVA.test.", "/x", DOT),
            new Case("b%C3%BCcher.test", "/", HOST));

    public static void main(String[] args) throws Exception {
        Path work = Path.of(args[1]);
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        Process caddy = null;
        boolean good;
        try (RawUpstream root = upstream("root", seen);
                RawUpstream models = upstream("models", seen);
                RawUpstream embedding = upstream("embedding", seen);
                RawUpstream chat = upstream("chat", seen);
                RawUpstream sub = upstream("sub", seen);
                ProxyServer proxy = ProxyServer.builder()
                        .bind("127.0.0.1")
                        .http(0)
                        .route(r -> r.host("one.test").forward(root.uri()))
                        .route(r -> r.host("one.test").path("/v1/models").forward(models.uri()))
                        .route(r -> r.host("one.test")
                                .path("/embedding-model/")
                                .stripPrefix()
                                .forward(embedding.uri()))
                        .route(r ->
                                r.host("one.test").path("/api").stripPrefix().forward(chat.uri()))
                        .route(r -> r.host("chat.one.test").forward(chat.uri()))
                        .route(r -> r.host("*.one.test").forward(sub.uri()))
                        .route(r -> r.host("::1").forward(sub.uri()))
                        .route(r -> r.host("bücher.test").forward(sub.uri()))
                        .start()) {
            int port = freePort();
            Path file = work.resolve("Caddyfile");
            Files.writeString(file, caddyfile(port, root, models, embedding, chat, sub));
            File log = work.resolve("caddy.log").toFile();
            caddy = new ProcessBuilder(args[0], "run", "--adapter", "caddyfile", "--config", file.toString())
                    .redirectOutput(log)
                    .redirectErrorStream(true)
                    .start();
            await(port, log);
            good = run(proxy.endpoints().get(0).address().getPort(), port, seen);
        } finally {
            if (caddy != null) {
                caddy.destroy();
                caddy.waitFor();
            }
        }
        System.exit(good ? 0 : 1);
    }

    private static boolean run(int ours, int caddys, BlockingQueue<String> seen) throws IOException {
        List<String> bad = new ArrayList<>();
        List<String> rows = new ArrayList<>();
        int equal = 0;
        for (Case one : CASES) {
            String here = ask(ours, one, seen);
            String there = ask(caddys, one, seen);
            boolean alike = here.equals(there);
            equal += alike ? 1 : 0;
            if (alike != one.why().isEmpty()) {
                bad.add("`" + one.host() + one.target() + "`: "
                        + (alike ? "a reason, but no difference" : "a difference without a reason"));
            }
            rows.add("| `" + one.host() + "` | `" + one.target() + "` | " + here + " | " + (alike ? "the same" : there)
                    + " | " + one.why() + " |");
        }
        System.out.printf(
                "%d requests: %d equal, %d different; %d of these without a reason%n%n",
                CASES.size(), equal, CASES.size() - equal, bad.size());
        bad.forEach(line -> System.out.println("- " + line));
        System.out.println("\n| host | target | webproxy | Caddy | why they differ |\n|---|---|---|---|---|");
        rows.forEach(System.out::println);
        return bad.isEmpty();
    }

    /** What became of a request: the upstream and the target that it saw, or the status and where the client was sent. */
    private static String ask(int port, Case one, BlockingQueue<String> seen) throws IOException {
        seen.clear();
        try (RawConnection client = RawConnection.open(port)) {
            client.socket().setSoTimeout(QUIET_MILLIS);
            client.send("GET " + one.target() + " HTTP/1.1¶Host: " + one.host() + "¶Connection: close¶¶");
            String head = client.readHead();
            String status = head.length() < 12 ? "closed" : head.substring(9, 12);
            String line = seen.poll();
            if (line != null) {
                return line;
            }
            String location = head.lines()
                    .filter(l -> l.toLowerCase(Locale.ROOT).startsWith("location: "))
                    .findFirst()
                    .orElse("");
            return status + (location.isEmpty() ? "" : " `" + location.substring(10) + "`");
        } catch (SocketTimeoutException e) {
            return "silent";
        }
    }

    private static RawUpstream upstream(String name, BlockingQueue<String> seen) throws IOException {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                seen.add(name + " `" + head.split(" ", 3)[1] + "`");
                c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
        });
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void await(int port, File log) throws Exception {
        for (int i = 0; i < 100; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return;
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
        throw new IOException("Caddy was not ready within 10 s: " + Files.readString(log.toPath()));
    }

    /** The routes in Caddy's words: handle where the upstream sees all of the path, handle_path where the prefix is taken off. */
    private static String caddyfile(
            int port, RawUpstream root, RawUpstream models, RawUpstream embedding, RawUpstream chat, RawUpstream sub) {
        return """
            {
              admin off
              auto_https off
            }
            http://one.test:%1$d {
              bind 127.0.0.1
              @models path /v1/models /v1/models/*
              handle @models {
                reverse_proxy 127.0.0.1:%3$d
              }
              redir /embedding-model /embedding-model/ 308
              handle_path /embedding-model/* {
                reverse_proxy 127.0.0.1:%4$d
              }
              @api path /api /api/*
              handle @api {
                uri strip_prefix /api
                reverse_proxy 127.0.0.1:%5$d
              }
              handle {
                reverse_proxy 127.0.0.1:%2$d
              }
            }
            http://chat.one.test:%1$d {
              bind 127.0.0.1
              reverse_proxy 127.0.0.1:%5$d
            }
            http://*.one.test:%1$d, http://[::1]:%1$d, http://xn--bcher-kva.test:%1$d {
              bind 127.0.0.1
              reverse_proxy 127.0.0.1:%6$d
            }
            """.formatted(port, root.port(), models.port(), embedding.port(), chat.port(), sub.port());
    }
}
