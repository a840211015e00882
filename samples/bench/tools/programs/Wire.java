import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** The JDK's HttpClient for wire-clients.sh: {@code Wire h1|h2 URL}, with a trust store set by system properties. */
public final class Wire {
    private Wire() {}

    public static void main(String[] args) throws Exception {
        HttpClient.Version version = args[0].equals("h2") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1;
        String url = args[1] + "wire/";
        HttpClient client = HttpClient.newBuilder().version(version).build();
        byte[] body = new byte[10_000_000];
        new Random(1).nextBytes(body);
        String sha =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        check("get", () -> {
            HttpResponse<String> said = client.send(request(url + "echo?a=b").build(), BodyHandlers.ofString());
            return wanted(said.version() + " " + said.body().contains("\"/wire/echo?a=b\""), version + " true");
        });
        check("post", () -> {
            HttpRequest post =
                    request(url + "echo").POST(BodyPublishers.ofByteArray(body)).build();
            return wanted(client.send(post, BodyHandlers.ofString()).body().contains(sha), true);
        });
        check("events", () -> {
            HttpResponse<InputStream> events =
                    client.send(request(url + "events").build(), BodyHandlers.ofInputStream());
            events.body().readNBytes(9);
            long begin = System.nanoTime();
            int rest = events.body().readAllBytes().length;
            return wanted(rest + " " + (System.nanoTime() - begin > 300_000_000), "36 true");
        });
        check("parallel", () -> {
            List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                answers.add(client.sendAsync(request(url + "echo?n=" + i).build(), BodyHandlers.ofString()));
            }
            for (int i = 0; i < 100; i++) {
                String said = answers.get(i).get().body();
                if (!said.contains("\"/wire/echo?n=" + i + "\"")) {
                    return said;
                }
            }
            return "ok";
        });
        check("cancel", () -> {
            String id = "java" + System.nanoTime();
            HttpResponse<InputStream> endless =
                    client.send(request(url + "endless?" + id).build(), BodyHandlers.ofInputStream());
            endless.body().readNBytes(50_000);
            endless.body().close();
            return wanted(
                    client.send(request(url + "gone?" + id).build(), BodyHandlers.ofString())
                            .body(),
                    "gone");
        });
        System.exit(0);
    }

    private static HttpRequest.Builder request(String url) {
        return HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(60));
    }

    private static String wanted(Object seen, Object wanted) {
        return seen.equals(wanted) ? "ok" : seen + " (expected: " + wanted + ")";
    }

    private static void check(String name, Callable<String> what) {
        String said;
        try {
            said = what.call();
        } catch (Exception e) {
            said = e.toString();
        }
        System.out.println(name + " " + said);
    }
}
