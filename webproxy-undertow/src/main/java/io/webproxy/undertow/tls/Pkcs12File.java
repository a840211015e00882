package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.KeyMaterial;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Reads PKCS#12 files (RFC 7292). */
final class Pkcs12File {
    private Pkcs12File() {}

    /**
     * Every key entry of a file, in its order; at least one.
     *
     * @param password empty for none
     */
    static List<KeyMaterial> read(Path file, String password, Instant now) {
        byte[] content = SmallFile.read(file, "PKCS#12 key store");
        char[] secret = password.toCharArray();
        List<KeyMaterial> entries = new ArrayList<>();
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(new ByteArrayInputStream(content), secret);
            for (String alias : Collections.list(store.aliases())) {
                if (store.isKeyEntry(alias) && store.getKey(alias, secret) instanceof PrivateKey key) {
                    entries.add(ChainCheck.entry(file, file, key, chain(store, alias), now));
                }
            }
        } catch (UnrecoverableKeyException e) {
            throw wrongPassword(file, password, e);
        } catch (IOException e) {
            if (e.getCause() instanceof UnrecoverableKeyException) {
                throw wrongPassword(file, password, e);
            }
            throw damaged(file, e);
        } catch (GeneralSecurityException | RuntimeException e) {
            throw e instanceof ProxyStartException ours ? ours : damaged(file, e);
        }
        if (entries.isEmpty()) {
            throw new ProxyStartException(
                    "There is no key in " + file + " (expected: a PKCS#12 file with a key and its certificate).");
        }
        return entries;
    }

    private static List<X509Certificate> chain(KeyStore store, String alias) throws GeneralSecurityException {
        List<X509Certificate> chain = new ArrayList<>();
        Certificate[] certificates = store.getCertificateChain(alias);
        for (Certificate certificate : certificates == null ? new Certificate[0] : certificates) {
            if (certificate instanceof X509Certificate x509) {
                chain.add(x509);
            }
        }
        return chain;
    }

    private static ProxyStartException wrongPassword(Path file, String password, Exception cause) {
        return new ProxyStartException(
                password.isEmpty()
                        ? file + " needs a password: give it, Certificates.pkcs12(file, password)."
                        : "The password of " + file + " is wrong.",
                cause);
    }

    private static ProxyStartException damaged(Path file, Exception cause) {
        return new ProxyStartException(file + " can't be read: it is damaged or no PKCS#12 file.", cause);
    }
}
