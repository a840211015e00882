package io.webproxy.samples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/** Encrypts keys, as {@code openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES} does. */
final class EncryptedKey {
    private static final String SCHEME = "PBEWithSHA1AndDESede";

    private EncryptedKey() {}

    /** Writes the key of a PEM file (PKCS#8) to another one, by a scheme of PKCS#12 (RFC 7292). */
    static void write(Path key, Path encrypted, String password) throws IOException {
        String base64 = Files.readString(key).replaceAll("-----[^-]*-----", "");
        try {
            Cipher cipher = Cipher.getInstance(SCHEME);
            cipher.init(
                    Cipher.ENCRYPT_MODE,
                    SecretKeyFactory.getInstance(SCHEME).generateSecret(new PBEKeySpec(password.toCharArray())));
            byte[] content = cipher.doFinal(Base64.getMimeDecoder().decode(base64));
            byte[] encoded = new EncryptedPrivateKeyInfo(cipher.getParameters(), content).getEncoded();
            Files.writeString(
                    encrypted,
                    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                            + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
                            + "\n-----END ENCRYPTED PRIVATE KEY-----\n");
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }
}
