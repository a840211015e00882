import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * WebSockets that say nothing for a time, and then must still echo: prints {@code URI ok} or {@code URI FAILED: why} for each.
 *
 * <p>Arguments: a file with the certificate of those over TLS, how many seconds of silence, and the URIs.
 */
final class SilentWebSockets implements WebSocket.Listener {
    private final LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final URI uri;
    private final WebSocket socket;

    private SilentWebSockets(HttpClient client, URI uri) {
        this.uri = uri;
        this.socket = client.newWebSocketBuilder().buildAsync(uri, this).join();
    }

    public static void main(String[] args) throws Exception {
        HttpClient client =
                HttpClient.newBuilder().sslContext(trusting(Path.of(args[0]))).build();
        List<SilentWebSockets> all = new ArrayList<>();
        for (String uri : List.of(args).subList(2, args.length)) {
            SilentWebSockets one = new SilentWebSockets(client, URI.create(uri.replaceFirst("^http", "ws")));
            if (one.echo("before").isEmpty()) {
                all.add(one);
            }
        }
        boolean ok = all.size() == args.length - 2;
        Thread.sleep(TimeUnit.SECONDS.toMillis(Long.parseLong(args[1])));
        for (SilentWebSockets one : all) {
            String problem = one.echo("after");
            System.out.println(one.uri + (problem.isEmpty() ? " ok" : " FAILED: " + problem));
            ok &= problem.isEmpty();
            one.socket.abort();
        }
        System.exit(ok ? 0 : 1);
    }

    /** What went wrong, or nothing. */
    private String echo(String text) throws InterruptedException {
        String problem = "";
        if (!events.isEmpty()) {
            problem = "in the silence: " + events;
        } else {
            socket.sendText(text, true);
            String event = events.poll(5, TimeUnit.SECONDS);
            if (!("text " + text).equals(event)) {
                problem = event == null ? "no echo within 5 s" : event;
            }
        }
        if (!problem.isEmpty() && text.equals("before")) {
            System.out.println(uri + " FAILED before the silence: " + problem);
        }
        return problem;
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        events.add("text " + data);
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int status, String reason) {
        events.add("close " + status + " " + reason);
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable problem) {
        events.add("error " + problem);
    }

    private static SSLContext trusting(Path certificate) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = Files.newInputStream(certificate)) {
            store.setCertificateEntry(
                    "proxy", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
