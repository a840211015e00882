package io.webproxy.testing;

import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;

/**
 * A provider that serves what it is given: what covers the name, and by default its first. Says what was done to it.
 */
public final class HeldProvider implements CertificateProvider {
    public final BlockingQueue<ClientHello> asked = new LinkedBlockingQueue<>();
    public final AtomicInteger starts = new AtomicInteger();
    public final AtomicInteger stops = new AtomicInteger();
    public volatile List<KeyMaterial> held;
    public volatile @Nullable RuntimeException fails;
    public volatile @Nullable Exception failsToStart;
    public volatile Runnable whenStopped = () -> {};
    public volatile @Nullable CertificateContext context;

    public HeldProvider(KeyMaterial... held) {
        this.held = List.of(held);
    }

    /** A self-signed certificate; the first name is its common name. */
    public static KeyMaterial material(String... names) {
        HeldCertificate.Builder builder = new HeldCertificate.Builder().commonName(names[0]);
        for (String name : names) {
            builder.addSubjectAlternativeName(name);
        }
        return material(builder.build());
    }

    public static KeyMaterial material(HeldCertificate made) {
        return KeyMaterial.of(made.keyPair().getPrivate(), List.of(made.certificate()));
    }

    @Override
    public @Nullable KeyMaterial select(ClientHello hello) {
        asked.add(hello);
        RuntimeException failure = fails;
        if (failure != null) {
            throw failure;
        }
        return held.stream()
                .filter(material -> hello.serverName().map(material::covers).orElse(true))
                .filter(material -> hello.canUse(material.keyType()))
                .findFirst()
                .orElse(null);
    }

    @Override
    public void start(CertificateContext lent) throws Exception {
        starts.incrementAndGet();
        context = lent;
        Exception failure = failsToStart;
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void stop() {
        stops.incrementAndGet();
        whenStopped.run();
    }

    @Override
    public List<CertificateStatus> status() {
        return List.of(CertificateStatus.of(List.of("wanted.example")));
    }
}
