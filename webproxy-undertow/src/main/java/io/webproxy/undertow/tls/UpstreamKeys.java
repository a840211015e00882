package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.route.Upstream;
import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.keys.KeyFiles;
import io.webproxy.undertow.tls.keys.TrustFile;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The trusted certificates for an upstream and the client certificate for it, as read from files. Immutable, with value
 * equality; {@code toString} shows names only.
 */
public final class UpstreamKeys {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    private final @Nullable Set<X509Certificate> trusted;
    private final List<KeyMaterial> identity;

    private UpstreamKeys(@Nullable Set<X509Certificate> trusted, List<KeyMaterial> identity) {
        this.trusted = trusted;
        this.identity = identity;
    }

    /**
     * Reads the files of an upstream: not for an IO thread.
     *
     * @throws ProxyStartException with one sentence, if a file can't be used
     */
    public static UpstreamKeys load(Upstream upstream) {
        return load(upstream, Instant.now());
    }

    static UpstreamKeys load(Upstream upstream, Instant now) {
        return new UpstreamKeys(
                upstream.trust().map(TrustFile::read).orElse(null),
                upstream.identity()
                        .map(source -> warned(source, entries(source, now), now))
                        .orElse(List.of()));
    }

    /** Warns about expired certificates, but uses them: the upstream decides, and other routes must not be affected. */
    private static List<KeyMaterial> warned(Certificates source, List<KeyMaterial> entries, Instant now) {
        for (KeyMaterial entry : entries) {
            if (KeyFiles.isExpired(entry, now)) {
                LOG.warn("{}: renew it; it is still presented to upstreams", KeyFiles.expired(source, entry));
            }
        }
        return entries;
    }

    private static List<KeyMaterial> entries(Certificates source, Instant now) {
        if (source instanceof PemSource || source instanceof Pkcs12Source) {
            return KeyFiles.read(source, now);
        }
        throw new ProxyStartException(source + " can't be an upstream's identity: use a PEM or PKCS#12 file.");
    }

    /** The trusted certificates; null for the JVM's trust store. */
    @Nullable Set<X509Certificate> trusted() {
        return trusted;
    }

    /** The client certificates; empty for none. */
    List<KeyMaterial> identity() {
        return identity;
    }

    private List<List<X509Certificate>> chains() {
        // the key belongs to the leaf, so it needs no comparison
        return identity.stream().map(KeyMaterial::chain).toList();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof UpstreamKeys that
                && Objects.equals(trusted, that.trusted)
                && chains().equals(that.chains());
    }

    @Override
    public int hashCode() {
        return Objects.hash(trusted, chains());
    }

    @Override
    public String toString() {
        return "UpstreamKeys" + identity;
    }
}
