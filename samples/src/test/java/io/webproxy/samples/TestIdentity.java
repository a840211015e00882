package io.webproxy.samples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import okhttp3.OkHttpClient;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/**
 * A certificate for localhost by a root that nobody knows but the clients made here.
 *
 * @param cert the PEM file of the certificate
 * @param key the PEM file of its key
 * @param root who signed it
 */
record TestIdentity(Path cert, Path key, HeldCertificate root) {
    /** Makes one, in files of this directory. */
    static TestIdentity in(Path directory) throws IOException {
        HeldCertificate root = new HeldCertificate.Builder()
                .certificateAuthority(0)
                .commonName("test root")
                .build();
        HeldCertificate leaf = new HeldCertificate.Builder()
                .commonName("localhost")
                .addSubjectAlternativeName("localhost")
                .signedBy(root)
                .build();
        return new TestIdentity(
                Files.writeString(directory.resolve("cert.pem"), leaf.certificatePem()),
                Files.writeString(directory.resolve("key.pem"), leaf.privateKeyPkcs8Pem()),
                root);
    }

    /** A client that trusts the root alone. */
    OkHttpClient newClient() {
        HandshakeCertificates trust = new HandshakeCertificates.Builder()
                .addTrustedCertificate(root.certificate())
                .build();
        return new OkHttpClient.Builder()
                .sslSocketFactory(trust.sslSocketFactory(), trust.trustManager())
                .build();
    }
}
