package io.webproxy.undertow.tls.keys;

import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.time.Instant;
import java.util.List;

/** Reads keys and certificates from the files of a certificate source. */
public final class KeyFiles {
    private KeyFiles() {}

    /**
     * Reads all keys with their chains, at least one.
     *
     * @throws io.webproxy.ProxyStartException with one sentence, if they can't be used
     * @throws IllegalArgumentException if the source names no files of an operator
     */
    public static List<KeyMaterial> read(Certificates source, Instant now) {
        if (source instanceof PemSource pem) {
            return List.of(read(pem, now));
        }
        if (source instanceof Pkcs12Source pkcs12) {
            return List.copyOf(Pkcs12File.read(pkcs12.file(), pkcs12.password(), now));
        }
        throw new IllegalArgumentException(source + " has no files");
    }

    /**
     * Reads a certificate chain and its key.
     *
     * @throws io.webproxy.ProxyStartException with one sentence, if they can't be used
     */
    public static KeyMaterial read(PemSource source, Instant now) {
        Path file = source.certificates();
        PrivateKey key = PemFile.read(source.key(), "key").key(source.password().orElse(null));
        return ChainCheck.entry(
                file, source.key(), key, PemFile.read(file, "certificate chain").certificates(), now);
    }

    public static boolean isExpired(KeyMaterial material, Instant now) {
        return now.isAfter(material.notAfter());
    }

    /** A sentence without its full stop: which certificate expired, and when. */
    public static String expired(Certificates source, KeyMaterial material) {
        Object where = source instanceof PemSource pem
                ? pem.certificates()
                : source instanceof Pkcs12Source pkcs12 ? pkcs12.file() : source;
        return "The certificate in " + where + " expired on " + material.notAfter();
    }
}
