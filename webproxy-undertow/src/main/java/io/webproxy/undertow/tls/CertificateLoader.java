package io.webproxy.undertow.tls;

import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.Certificates;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads what certificate sources name. It remembers the self-signed certificates that it made and that nobody stores,
 * so that an update doesn't replace what clients may have been told to trust.
 *
 * <p>Not thread-safe.
 */
final class CertificateLoader {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    /** What a self-signed certificate has to be valid for yet to be served again. */
    static final Duration LEFT = Duration.ofDays(7);

    /** What makes two self-signed certificates the same. */
    private record Wanted(List<String> names, boolean rsa) {}

    private final Clock clock;
    private Map<Wanted, KeyEntry> made = Map.of();
    private @Nullable List<String> localNames;

    CertificateLoader(Clock clock) {
        this.clock = clock;
    }

    /**
     * All of them.
     *
     * @throws io.webproxy.ProxyStartException with one sentence, if one can't be used; nothing has changed then
     */
    List<KeyEntry> load(List<CertificateSource> sources) {
        List<KeyEntry> entries = new ArrayList<>();
        Map<Wanted, KeyEntry> kept = new HashMap<>();
        for (CertificateSource source : sources.isEmpty() ? List.of(standard()) : sources) {
            if (source instanceof CertificateSource.Pem pem) {
                entries.add(pem(pem, clock.instant()));
            } else if (source instanceof CertificateSource.Pkcs12 pkcs12) {
                entries.addAll(Pkcs12File.read(pkcs12.file(), pkcs12.password(), clock.instant()));
            } else if (source instanceof CertificateSource.SelfSigned selfSigned) {
                entries.add(selfSigned(selfSigned, kept));
            }
        }
        made = kept;
        return List.copyOf(entries);
    }

    private CertificateSource.SelfSigned standard() {
        List<String> names = localNames;
        if (names == null) {
            names = LocalNames.find();
            localNames = names;
            LOG.warn(
                    "No certificates(…) are configured: serving a self-signed certificate, which clients don't trust,"
                            + " for {}",
                    String.join(", ", names));
        }
        return Certificates.selfSigned(names.toArray(new String[0]));
    }

    static KeyEntry pem(CertificateSource.Pem source, Instant now) {
        Path file = source.certificates();
        PrivateKey key = PemFile.read(source.key(), "key").key(source.password().orElse(null));
        return ChainCheck.entry(
                file, source.key(), key, PemFile.read(file, "certificate chain").certificates(), now);
    }

    private KeyEntry selfSigned(CertificateSource.SelfSigned source, Map<Wanted, KeyEntry> kept) {
        Path directory = source.directory().orElse(null);
        if (directory != null) {
            return new SelfSignedStore(directory, clock).obtain(source.names(), source.isRsa());
        }
        Wanted wanted = new Wanted(source.names(), source.isRsa());
        KeyEntry entry = kept.getOrDefault(wanted, made.get(wanted));
        if (entry == null || expiresSoon(entry, clock.instant())) {
            entry = SelfSigned.make(source.names(), source.isRsa(), clock.instant());
        }
        kept.put(wanted, entry);
        return entry;
    }

    static boolean expiresSoon(KeyEntry entry, Instant now) {
        return entry.leaf().getNotAfter().toInstant().isBefore(now.plus(LEFT));
    }
}
