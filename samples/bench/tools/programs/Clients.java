import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;

/** The JDK's own HTTP clients behind a proxy: {@code Clients httpclient|http2|urlconnection URL}, with a trust store set by system properties. */
public final class Clients {
    private static final int SIZE = 3_000_000;
    private static final byte[] BODY = new byte[SIZE];
    private static final String CREDENTIALS =
            "Basic " + Base64.getEncoder().encodeToString("user:secret".getBytes(StandardCharsets.US_ASCII));

    private Clients() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("urlconnection")) {
            urlConnection(args[1]);
        } else {
            httpClient(args[1], args[0].equals("http2") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1);
        }
    }

    private static void httpClient(String url, HttpClient.Version version) throws Exception {
        HttpClient stranger = HttpClient.newBuilder().version(version).build();
        check(
                "early 401",
                send(stranger, url + "upload", BodyPublishers.ofByteArray(new byte[3 * SIZE]))
                        .statusCode(),
                401);
        HttpClient client = HttpClient.newBuilder()
                .version(version)
                .authenticator(new Authenticator() {
                    @Override
                    protected PasswordAuthentication getPasswordAuthentication() {
                        return new PasswordAuthentication("user", "secret".toCharArray());
                    }
                })
                .build();
        // the first is answered with 401 while it is still being sent, and is sent again with credentials
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> uploaded = send(client, url + "upload", BodyPublishers.ofByteArray(BODY));
            check("length", uploaded.body().contains("\"bytes\":" + SIZE), true);
            check("version", uploaded.version(), version);
        }
        BodyPublisher chunked = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(BODY));
        check("chunked", send(client, url + "upload", chunked).body().contains("\"bytes\":" + SIZE), true);
        for (int i = 0; i < 20; i++) {
            check("hello", send(client, url + "api/hello", null).statusCode(), 200);
        }
        check(
                "download",
                send(client, url + "download/a?size=" + SIZE, null).body().length(),
                SIZE);
    }

    private static HttpResponse<String> send(HttpClient client, String url, BodyPublisher body)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        return client.send(
                (body == null ? request : request.POST(body)).build(),
                BodyHandlers.ofString(StandardCharsets.ISO_8859_1));
    }

    private static void urlConnection(String url) throws IOException {
        for (boolean chunked : new boolean[] {false, true}) {
            check(
                    "early 401",
                    open(url + "upload", new byte[20 * SIZE], chunked, false).getResponseCode(),
                    401);
            HttpURLConnection uploaded = open(url + "upload", BODY, chunked, true);
            check(
                    "upload",
                    new String(uploaded.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                            .contains("\"bytes\":" + SIZE),
                    true);
        }
        check(
                "download",
                open(url + "download/a?size=" + SIZE, null, false, true)
                        .getInputStream()
                        .readAllBytes()
                        .length,
                SIZE);
    }

    private static HttpURLConnection open(String url, byte[] body, boolean chunked, boolean user) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        if (user) {
            connection.setRequestProperty("Authorization", CREDENTIALS);
        }
        if (body != null) {
            connection.setDoOutput(true);
            if (chunked) {
                connection.setChunkedStreamingMode(0);
            } else {
                connection.setFixedLengthStreamingMode(body.length);
            }
            try {
                connection.getOutputStream().write(body);
                connection.getOutputStream().close();
            } catch (IOException e) {
                // refused while it was sent: what counts is whether the status can be read all the same
            }
        }
        return connection;
    }

    private static void check(String what, Object seen, Object wanted) {
        if (!Objects.equals(seen, wanted)) {
            System.err.println(what + ": " + seen + " (expected: " + wanted + ")");
            System.exit(1);
        }
    }
}
