package io.webproxy.undertow.tls.keys;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.TrustStore;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.security.NoSuchProviderException;
import java.security.cert.X509Certificate;
import java.util.LinkedHashSet;
import java.util.Set;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Reads trusted certificates from an operator's file, and makes trust managers of them. */
public final class TrustFile {
    private TrustFile() {}

    /**
     * Reads all certificates of a trust store, at least one.
     *
     * @throws ProxyStartException with one sentence, if it can't be used
     */
    public static Set<X509Certificate> read(TrustStore store) {
        Path file = store.file();
        return new LinkedHashSet<>(store.password()
                .map(password -> Pkcs12File.trusted(file, password))
                .orElseGet(() -> PemFile.read(file, "trusted certificates").certificates()));
    }

    /**
     * The JDK's trust managers, also for Conscrypt: they check the host name, and trust doesn't depend on the TLS
     * implementation.
     *
     * @param trusted the trusted certificates; null for the JVM's trust store
     */
    public static TrustManager[] managers(@Nullable Set<X509Certificate> trusted)
            throws GeneralSecurityException, IOException {
        TrustManagerFactory factory = factory();
        factory.init(trusted == null ? null : keyStore(trusted));
        return factory.getTrustManagers();
    }

    private static TrustManagerFactory factory() throws NoSuchAlgorithmException {
        try {
            return TrustManagerFactory.getInstance("PKIX", "SunJSSE");
        } catch (NoSuchProviderException e) {
            return TrustManagerFactory.getInstance("PKIX");
        }
    }

    private static KeyStore keyStore(Set<X509Certificate> trusted) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int number = 0;
        for (X509Certificate certificate : trusted) {
            store.setCertificateEntry("trusted-" + number++, certificate);
        }
        return store;
    }
}
