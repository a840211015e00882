package io.webproxy.acme.certificate;

import io.webproxy.tls.KeyMaterial;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.shredzone.acme4j.Identifier;

/**
 * Makes the certificate that proves control of a name by TLS (RFC 8737 section 3). acme4j's own has an RSA key, which
 * takes a hundred times as long.
 */
public final class TlsAlpnCertificate {
    /** id-pe-acmeIdentifier. */
    private static final ASN1ObjectIdentifier ACME_IDENTIFIER = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.1.31");

    private static final Duration LIFETIME = Duration.ofDays(7);

    private TlsAlpnCertificate() {}

    /**
     * Makes a certificate with a new key.
     *
     * @param digest SHA-256 of the key authorization
     */
    public static KeyMaterial create(Identifier identifier, byte[] digest, Instant now)
            throws GeneralSecurityException, IOException {
        KeyPair key = Keys.create("EC");
        X500Name name = new X500Name("CN=acme.invalid");
        int kind = identifier.getType().equals(Identifier.TYPE_IP) ? GeneralName.iPAddress : GeneralName.dNSName;
        try {
            byte[] encoded = new JcaX509v3CertificateBuilder(
                            name,
                            BigInteger.valueOf(now.toEpochMilli()),
                            Date.from(now.minus(LIFETIME)),
                            Date.from(now.plus(LIFETIME)),
                            name,
                            key.getPublic())
                    .addExtension(
                            Extension.subjectAlternativeName,
                            false,
                            new GeneralNames(new GeneralName(kind, identifier.getValue())))
                    .addExtension(ACME_IDENTIFIER, true, new DEROctetString(digest))
                    .build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate()))
                    .getEncoded();
            return KeyMaterial.of(key.getPrivate(), List.of((X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(encoded))));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }
}
