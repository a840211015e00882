package io.webproxy.undertow.tls;

import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.time.Instant;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates that a server serves, and how it chooses among them. Immutable.
 *
 * @param asked the providers among the sources
 */
record ServedCertificates(
        LoadedSources sources, IdentityHashMap<CertificateProvider, AskedProvider> asked, DefaultLast chooser) {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    /** For these sources, with what is known of their providers. */
    static ServedCertificates of(
            LoadedSources sources, IdentityHashMap<CertificateProvider, AskedProvider> known, Instant now) {
        IdentityHashMap<CertificateProvider, AskedProvider> still = new IdentityHashMap<>();
        KeyChooser chooser = sources.chooser(now, provider -> {
            AskedProvider same = still.getOrDefault(provider, known.get(provider));
            AskedProvider asked = same == null ? new AskedProvider(provider) : same;
            still.put(provider, asked);
            return asked;
        });
        return new ServedCertificates(sources, still, new DefaultLast(chooser));
    }

    /** The same choice among other sources. */
    ServedCertificates with(LoadedSources other, Instant now) {
        return of(other, asked, now);
    }

    /** Makes the self-signed certificates that are needed because providers have none. */
    void makeStandIns() {
        for (StandIn standIn : sources.standIns().values()) {
            standIn.clients().forEach(this::ask);
        }
    }

    private void ask(ClientHello hello) {
        try {
            chooser.choose(hello);
        } catch (AskedProvider.Failed e) {
            LOG.debug("A provider failed: no certificate for {}", hello, e);
        }
    }

    /** The certificates served and wanted, in the order of configuration. */
    List<CertificateStatus> status() {
        List<CertificateStatus> all = new ArrayList<>();
        for (Certificates leaf : LoadedSources.leaves(sources.sources())) {
            if (leaf instanceof CertificateProvider provider) {
                all.addAll(asked(provider).status());
            } else {
                Optional<String> failure = sources.lastFailure(leaf);
                sources.servedBy(leaf).forEach(material -> all.add(statusOf(material, failure)));
            }
        }
        return all;
    }

    private AskedProvider asked(CertificateProvider provider) {
        AskedProvider known = asked.get(provider);
        return known == null ? new AskedProvider(provider) : known;
    }

    private static CertificateStatus statusOf(KeyMaterial material, Optional<String> failure) {
        CertificateStatus status = CertificateStatus.of(HeldKeys.namesOf(material))
                .withIssuer(material.leaf().getIssuerX500Principal().getName())
                .withNotAfter(material.notAfter());
        return failure.map(status::withLastError).orElse(status);
    }
}
