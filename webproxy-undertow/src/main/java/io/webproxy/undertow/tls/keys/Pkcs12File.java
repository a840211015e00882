package io.webproxy.undertow.tls.keys;

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
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bouncycastle.asn1.pkcs.ContentInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.InputDecryptorProvider;
import org.bouncycastle.pkcs.PKCS12PfxPdu;
import org.bouncycastle.pkcs.PKCS12SafeBag;
import org.bouncycastle.pkcs.PKCS12SafeBagFactory;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcePKCSPBEInputDecryptorProviderBuilder;

/** Reads PKCS#12 files (RFC 7292). */
final class Pkcs12File {
    private Pkcs12File() {}

    /**
     * Reads every key entry of a file, in order; at least one.
     *
     * @param password empty for none
     */
    static List<KeyMaterial> read(Path file, String password, Instant now) {
        byte[] content = SmallFile.read(file, "PKCS#12 key store");
        char[] secret = password.toCharArray();
        List<KeyMaterial> entries = new ArrayList<>();
        try {
            KeyStore store = open(KeyStore.getInstance("PKCS12"), content, secret);
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

    /**
     * Reads every certificate of a file that belongs to no key; at least one.
     *
     * @param password empty for none
     */
    static List<X509Certificate> trusted(Path file, String password) {
        byte[] content = SmallFile.read(file, "trusted certificates");
        char[] secret = password.toCharArray();
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            KeyStore store = open(KeyStore.getInstance("PKCS12"), content, secret);
            collect(store, certificates);
            if (store.size() == 0) {
                collectUnmarked(content, secret, certificates);
            }
        } catch (IOException e) {
            if (e.getCause() instanceof UnrecoverableKeyException) {
                throw new ProxyStartException("The password of " + file + " is wrong.", e);
            }
            throw damaged(file, e);
        } catch (GeneralSecurityException | PKCSException | RuntimeException e) {
            throw damaged(file, e);
        }
        if (certificates.isEmpty()) {
            throw new ProxyStartException("There is no trusted certificate in " + file
                    + " (expected: a PKCS#12 file with certificates that have no key).");
        }
        return certificates;
    }

    private static void collect(KeyStore store, List<X509Certificate> certificates) throws GeneralSecurityException {
        for (String alias : Collections.list(store.aliases())) {
            if (store.isCertificateEntry(alias) && store.getCertificate(alias) instanceof X509Certificate certificate) {
                certificates.add(certificate);
            }
        }
    }

    /**
     * The JDK's store (17 to 25) skips certificates that its own tools haven't marked as trusted, such as those of
     * openssl. Canary: {@code JdkDefectsTest.unmarkedCertificatesOfAPkcs12FileAreSkipped}.
     */
    private static void collectUnmarked(byte[] content, char[] secret, List<X509Certificate> certificates)
            throws IOException, GeneralSecurityException, PKCSException {
        InputDecryptorProvider decryptor = new JcePKCSPBEInputDecryptorProviderBuilder()
                .setProvider(new BouncyCastleProvider())
                .build(secret);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        for (ContentInfo part : new PKCS12PfxPdu(content).getContentInfos()) {
            boolean encrypted = part.getContentType().equals(PKCSObjectIdentifiers.encryptedData);
            PKCS12SafeBagFactory bags =
                    encrypted ? new PKCS12SafeBagFactory(part, decryptor) : new PKCS12SafeBagFactory(part);
            for (PKCS12SafeBag bag : bags.getSafeBags()) {
                if (bag.getBagValue() instanceof X509CertificateHolder holder) {
                    certificates.add((X509Certificate)
                            factory.generateCertificate(new ByteArrayInputStream(holder.getEncoded())));
                }
            }
        }
    }

    private static KeyStore open(KeyStore store, byte[] content, char[] secret)
            throws GeneralSecurityException, IOException {
        store.load(new ByteArrayInputStream(content), secret);
        return store;
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
