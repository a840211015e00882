package io.webproxy.acme.certificate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes, writes and reads key pairs with the JDK's providers; acme4j's own way requires Bouncy Castle to be registered.
 */
public final class Keys {
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));

    private Keys() {}

    /** A new key: {@code EC} (P-256) or {@code RSA} (2048). */
    public static KeyPair create(String type) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(type);
            generator.initialize(
                    type.equals("RSA")
                            ? new RSAKeyGenParameterSpec(2048, RSAKeyGenParameterSpec.F4)
                            : new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(type + ": no such kind of key (expected: EC or RSA)", e);
        }
    }

    /** Whether the public key verifies what the private key signs. */
    public static boolean belongTogether(KeyPair pair) {
        try {
            Signature signature = Signature.getInstance(
                    switch (pair.getPublic().getAlgorithm()) {
                        case "EC" -> "SHA256withECDSA";
                        case "RSA" -> "SHA256withRSA";
                        default -> pair.getPublic().getAlgorithm();
                    });
            byte[] message = {1, 2, 3};
            signature.initSign(pair.getPrivate());
            signature.update(message);
            byte[] signed = signature.sign();
            signature.initVerify(pair.getPublic());
            signature.update(message);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** Writes the private key, then the public one, which an EC private key doesn't contain. */
    public static String toPem(KeyPair key) {
        return block("PRIVATE KEY", key.getPrivate()) + block("PUBLIC KEY", key.getPublic());
    }

    private static String block(String label, Key key) {
        return "-----BEGIN " + label + "-----\n" + BASE64.encodeToString(key.getEncoded()) + "\n-----END " + label
                + "-----\n";
    }

    /** Reads the key in a PEM text; other text before it is skipped. */
    public static KeyPair fromPem(String pem) throws IOException {
        PKCS8EncodedKeySpec key = new PKCS8EncodedKeySpec(bytes("PRIVATE KEY", pem));
        X509EncodedKeySpec publicKey = new X509EncodedKeySpec(bytes("PUBLIC KEY", pem));
        for (String type : List.of("EC", "RSA")) {
            try {
                KeyFactory factory = KeyFactory.getInstance(type);
                return new KeyPair(factory.generatePublic(publicKey), factory.generatePrivate(key));
            } catch (GeneralSecurityException e) {
                // The other type.
            }
        }
        throw new IOException("neither an EC nor an RSA key");
    }

    private static byte[] bytes(String label, String pem) throws IOException {
        Matcher block = Pattern.compile("-----BEGIN " + label + "-----([A-Za-z0-9+/=\\s]+)-----END " + label + "-----")
                .matcher(pem);
        if (!block.find()) {
            throw new IOException("no " + label + " in PEM");
        }
        return Base64.getMimeDecoder().decode(block.group(1));
    }
}
