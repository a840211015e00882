package io.webproxy.acme.ca;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Makes the HTTP client for a CA. */
public final class CaHttp {
    private static final AtomicInteger THREADS = new AtomicInteger();

    private CaHttp() {}

    /** Its threads end when they are idle, and it is collected when it isn't referenced. */
    public static HttpClient client(CaSettings settings) throws AcmeFailure {
        HttpClient.Builder builder = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NORMAL)
                .connectTimeout(settings.timeout())
                .executor(new ThreadPoolExecutor(
                        0, 4_096, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), CaHttp::thread));
        Path trust = settings.trust().orElse(null);
        return trust == null
                ? builder.build()
                : builder.sslContext(trusting(trust)).build();
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "webproxy-acme-http-" + THREADS.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    }

    private static SSLContext trusting(Path file) throws AcmeFailure {
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry(String.valueOf(store.size()), certificate);
            }
            if (store.size() == 0) {
                throw unusable(file, "no certificate in it", null);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(file, e.toString(), e);
        }
    }

    private static AcmeFailure unusable(Path file, String why, @Nullable Exception cause) {
        return new AcmeFailure(
                file + ": " + why + " (expected: PEM certificates that the CA's server is trusted by)",
                List.of(),
                null,
                cause);
    }
}
