package io.webproxy.undertow.tls.keys;

import io.webproxy.ProxyStartException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.spec.PKCS8EncodedKeySpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8DecryptorProviderBuilder;
import org.bouncycastle.openssl.jcajce.JcePEMDecryptorProviderBuilder;
import org.bouncycastle.operator.InputDecryptorProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcePKCSPBEInputDecryptorProviderBuilder;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemWriter;
import org.jspecify.annotations.Nullable;

/**
 * One key in a PEM file: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) or SEC 1 (RFC 5915), unencrypted, encrypted by PBES2 or
 * PBES1 (RFC 8018), or in OpenSSL's old encryption.
 */
final class PemKey {
    private final Path file;
    private final PemObject block;

    PemKey(Path file, PemObject block) {
        this.file = file;
        this.block = block;
    }

    PrivateKey decode(@Nullable String password) {
        if (block.getType().equals("OPENSSH PRIVATE KEY")) {
            throw new ProxyStartException("The key in " + file
                    + " is in OpenSSH's own format: convert it with ssh-keygen -p -m PKCS8 -f " + file + ".");
        }
        PrivateKeyInfo key;
        try {
            key = block.getType().equals("PRIVATE KEY")
                    ? PrivateKeyInfo.getInstance(block.getContent())
                    : block.getType().equals("ENCRYPTED PRIVATE KEY") ? pkcs8(password) : traditional(password);
        } catch (IOException | IllegalArgumentException | IllegalStateException | ClassCastException e) {
            throw damaged(e);
        }
        try {
            return keyFactory(key.getPrivateKeyAlgorithm().getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(key.getEncoded()));
        } catch (GeneralSecurityException | IOException e) {
            throw damaged(e);
        }
    }

    private PrivateKeyInfo pkcs8(@Nullable String password) throws IOException {
        PKCS8EncryptedPrivateKeyInfo encrypted = new PKCS8EncryptedPrivateKeyInfo(block.getContent());
        char[] secret = needed(password);
        try {
            return encrypted.decryptPrivateKeyInfo(decryptor(encrypted.getEncryptionAlgorithm(), secret));
        } catch (PKCSException | OperatorCreationException | RuntimeException e) {
            throw wrongPassword(e);
        }
    }

    private static InputDecryptorProvider decryptor(AlgorithmIdentifier encryption, char[] secret)
            throws OperatorCreationException {
        Provider provider = new BouncyCastleProvider();
        return encryption.getAlgorithm().equals(PKCSObjectIdentifiers.id_PBES2)
                // it supports scrypt too
                ? new JcePKCSPBEInputDecryptorProviderBuilder()
                        .setProvider(provider)
                        .build(secret)
                : new JceOpenSSLPKCS8DecryptorProviderBuilder()
                        .setProvider(provider)
                        .build(secret);
    }

    private PrivateKeyInfo traditional(@Nullable String password) throws IOException {
        StringWriter text = new StringWriter();
        try (PemWriter writer = new PemWriter(text)) {
            writer.writeObject(block);
        }
        Object parsed;
        try (PEMParser parser = new PEMParser(new StringReader(text.toString()))) {
            parsed = parser.readObject();
        }
        if (parsed instanceof PEMEncryptedKeyPair encrypted) {
            char[] secret = needed(password);
            try {
                parsed = encrypted.decryptKeyPair(new JcePEMDecryptorProviderBuilder()
                        .setProvider(new BouncyCastleProvider())
                        .build(secret));
            } catch (IOException | RuntimeException e) {
                throw wrongPassword(e);
            }
        }
        if (parsed instanceof PEMKeyPair pair) {
            return pair.getPrivateKeyInfo();
        }
        throw new IOException("not a key: " + block.getType());
    }

    private char[] needed(@Nullable String password) {
        if (password == null) {
            throw new ProxyStartException("The key in " + file
                    + " is encrypted: give its password, Certificates.pem(certificates, key, password).");
        }
        return password.toCharArray();
    }

    private ProxyStartException wrongPassword(Exception cause) {
        return new ProxyStartException("The password of the key in " + file + " is wrong.", cause);
    }

    private ProxyStartException damaged(Exception cause) {
        return new ProxyStartException(
                "The key in " + file + " can't be read: it is damaged or of an unknown kind"
                        + " (expected: an RSA, EC or Ed25519 key).",
                cause);
    }

    private static KeyFactory keyFactory(ASN1ObjectIdentifier algorithm) throws GeneralSecurityException {
        if (algorithm.equals(PKCSObjectIdentifiers.rsaEncryption)) {
            return KeyFactory.getInstance("RSA");
        }
        if (algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
            return KeyFactory.getInstance("EC");
        }
        if (algorithm.equals(PKCSObjectIdentifiers.id_RSASSA_PSS)) {
            return KeyFactory.getInstance("RSASSA-PSS");
        }
        boolean edwards =
                algorithm.equals(EdECObjectIdentifiers.id_Ed25519) || algorithm.equals(EdECObjectIdentifiers.id_Ed448);
        return KeyFactory.getInstance(edwards ? "EdDSA" : algorithm.getId());
    }
}
