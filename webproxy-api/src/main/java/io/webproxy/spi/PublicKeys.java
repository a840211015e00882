package io.webproxy.spi;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import javax.crypto.KeyAgreement;

/**
 * Derives the public key of an EC private key, for which the JDK has no method: the first coordinate is the result of a
 * key agreement with the curve's generator; the second follows from the curve's equation, and a test signature decides
 * its sign. Pure.
 */
final class PublicKeys {
    private static final byte[] PROBE = {1, 2, 3};

    private PublicKeys() {}

    /**
     * The public key of a private one.
     *
     * @throws InvalidKeyException if it isn't for a prime curve such as P-256
     */
    static PublicKey of(PrivateKey key) throws GeneralSecurityException {
        if (!(key instanceof ECPrivateKey secret)
                || !(secret.getParams().getCurve().getField() instanceof ECFieldFp field)
                || !field.getP().testBit(1)) {
            throw new InvalidKeyException("not a key for P-256");
        }
        ECParameterSpec parameters = secret.getParams();
        KeyFactory factory = KeyFactory.getInstance("EC");
        KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
        agreement.init(key);
        agreement.doPhase(factory.generatePublic(new ECPublicKeySpec(parameters.getGenerator(), parameters)), true);
        BigInteger x = new BigInteger(1, agreement.generateSecret());
        BigInteger p = field.getP();
        BigInteger square = x.pow(3)
                .add(parameters.getCurve().getA().multiply(x))
                .add(parameters.getCurve().getB())
                .mod(p);
        // a root, because p is 3 modulo 4
        BigInteger y = square.modPow(p.add(BigInteger.ONE).shiftRight(2), p);
        PublicKey one = factory.generatePublic(new ECPublicKeySpec(new ECPoint(x, y), parameters));
        return belongTogether(key, one)
                ? one
                : factory.generatePublic(new ECPublicKeySpec(new ECPoint(x, p.subtract(y)), parameters));
    }

    /** Whether the public key verifies what the private key signs. */
    static boolean belongTogether(PrivateKey key, PublicKey publicKey) throws GeneralSecurityException {
        Signature signing = Signature.getInstance("SHA256withECDSA");
        signing.initSign(key);
        signing.update(PROBE);
        Signature verifying = Signature.getInstance("SHA256withECDSA");
        verifying.initVerify(publicKey);
        verifying.update(PROBE);
        return verifying.verify(signing.sign());
    }
}
