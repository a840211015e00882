package io.webproxy.undertow.tls.keys;

import io.webproxy.ProxyStartException;
import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.KeyMaterial;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Makes self-signed server certificates (RFC 5280). */
public final class SelfSignedMaker {
    /** Shorter than the 398 days that clients accept at most. */
    private static final Duration VALIDITY = Duration.ofDays(397);

    /** For clients whose clock is slow. */
    private static final Duration EARLIER = Duration.ofHours(1);

    private static final int SERIAL_BITS = 128;
    private static final int RSA_BITS = 3072;
    private static final int MAX_COMMON_NAME = 64;

    private SelfSignedMaker() {}

    /** Makes a key and its certificate for these DNS names and IP addresses. Takes a second or so for RSA. */
    public static KeyMaterial make(List<String> names, boolean rsa, Instant now) {
        try {
            SecureRandom random = new SecureRandom();
            KeyPair pair = keyPair(rsa, random);
            Instant from = now.minus(EARLIER);
            X500Name name = commonName(names);
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                    name,
                    new BigInteger(SERIAL_BITS, random).setBit(0),
                    Date.from(from),
                    Date.from(from.plus(VALIDITY)),
                    name,
                    SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
            int usage = KeyUsage.digitalSignature | (rsa ? KeyUsage.keyEncipherment : 0);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
            builder.addExtension(
                    Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
            builder.addExtension(Extension.subjectAlternativeName, false, alternatives(names));
            byte[] encoded = builder.build(new JcaContentSignerBuilder(rsa ? "SHA256withRSA" : "SHA256withECDSA")
                            .build(pair.getPrivate()))
                    .getEncoded();
            X509Certificate certificate = (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(encoded));
            return KeyMaterial.of(pair.getPrivate(), List.of(certificate));
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new ProxyStartException("A self-signed certificate can't be made: " + e.getMessage() + ".", e);
        }
    }

    /** The DNS names and addresses that {@link #make} puts into the certificate, normalised in the same way. */
    public static Set<Object> wanted(List<String> names) {
        Set<Object> wanted = new LinkedHashSet<>();
        for (String name : names) {
            InetAddress address = IpLiteral.parse(name);
            wanted.add(address == null ? dnsName(name) : address);
        }
        return wanted;
    }

    private static KeyPair keyPair(boolean rsa, SecureRandom random) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(rsa ? "RSA" : "EC");
        if (rsa) {
            generator.initialize(RSA_BITS, random);
        } else {
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
        }
        return generator.generateKeyPair();
    }

    private static X500Name commonName(List<String> names) {
        String first = names.get(0);
        String name = first.length() <= MAX_COMMON_NAME ? first : "self-signed";
        return new X500NameBuilder().addRDN(BCStyle.CN, name).build();
    }

    /**
     * An address becomes an iPAddress, never a dNSName: clients compare it with nothing else (RFC 9525 section 6.5).
     */
    private static GeneralNames alternatives(List<String> names) {
        return new GeneralNames(wanted(names).stream()
                .map(name -> name instanceof InetAddress address
                        ? new GeneralName(GeneralName.iPAddress, new DEROctetString(address.getAddress()))
                        : new GeneralName(GeneralName.dNSName, name.toString()))
                .toArray(GeneralName[]::new));
    }

    private static String dnsName(String name) {
        String canonical = HostNames.canonical(name);
        String last = canonical.substring(canonical.lastIndexOf('.') + 1);
        if (canonical.indexOf(':') >= 0 || last.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new ProxyStartException(
                    "selfSigned: " + name + " (expected: a DNS name such as host.example.com, or an IP address).");
        }
        return canonical;
    }
}
