package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.SelfSigned;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options for the certificate; without them it is a self-signed one for localhost and the local addresses. */
final class CertificateOptions {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    @Option(names = "--cert", paramLabel = "FILE", description = "A PEM file of certificates, leaf first; needs --key.")
    private @Nullable Path cert;

    @Option(names = "--key", paramLabel = "FILE", description = "The PEM file of the key.")
    private @Nullable Path key;

    @Option(
            names = "--key-password",
            paramLabel = "PASSWORD",
            description = "The password of an encrypted --key; default: none.")
    private @Nullable String keyPassword;

    @Option(names = "--keystore", paramLabel = "FILE", description = "A PKCS#12 file, in place of --cert.")
    private @Nullable Path keystore;

    @Option(
            names = "--keystore-password",
            paramLabel = "PASSWORD",
            description = "The password of --keystore; default: none.")
    private @Nullable String keystorePassword;

    @Option(
            names = "--self-signed",
            paramLabel = "NAME",
            split = ",",
            description = "A self-signed certificate for these names and IP addresses, separated by commas;"
                    + " default: for localhost and the local addresses.")
    private List<String> selfSigned = new ArrayList<>();

    private boolean untrusted;

    @Option(
            names = "--self-signed-storage",
            paramLabel = "DIR",
            description =
                    "Where self-signed certificates are kept, so that clients that were given one trust it after a"
                            + " restart; default: .webproxy/self-signed in the home directory; none: in memory.")
    private @Nullable String selfSignedStorage;

    @Mixin
    private AcmeOptions acme = new AcmeOptions();

    /** Refuses all of these options if the external port needs no certificate. */
    void checkUnused() {
        Stream.of(
                        cert == null ? null : "--cert",
                        key == null ? null : "--key",
                        keyPassword == null ? null : "--key-password",
                        keystore == null ? null : "--keystore",
                        keystorePassword == null ? null : "--keystore-password",
                        selfSigned.isEmpty() ? null : "--self-signed",
                        selfSignedStorage == null ? null : "--self-signed-storage",
                        acme.isGiven() ? "--acme" : null)
                .filter(Objects::nonNull)
                .findFirst()
                .ifPresent(option -> {
                    throw Complaint.wrong(option, "given with --plain", "only one of them: a certificate is for HTTPS");
                });
    }

    /** Whether the certificate is a self-signed one that nobody has asked for. */
    boolean isUntrusted() {
        return untrusted;
    }

    /** Reports a self-signed certificate once the server is up. */
    void announce() {
        if (untrusted) {
            LOG.warn("None of --cert, --keystore and --acme is given: serving a self-signed certificate, which clients"
                    + " don't trust unless they are given it");
        }
    }

    void applyTo(ProxyConfig.Builder builder) {
        if ((cert == null) != (key == null)) {
            throw new IllegalArgumentException(
                    (cert == null ? "--cert" : "--key") + ": missing (expected: both --cert and --key, or neither)");
        }
        if (key == null && keyPassword != null) {
            throw new IllegalArgumentException("--key-password: given without --key (expected: both)");
        }
        if (keystore == null && keystorePassword != null) {
            throw new IllegalArgumentException("--keystore-password: given without --keystore (expected: both)");
        }
        Certificates issued = acme.source();
        if (Stream.of(cert, keystore, selfSigned.isEmpty() ? null : selfSigned, issued)
                        .filter(Objects::nonNull)
                        .count()
                > 1) {
            throw new IllegalArgumentException(
                    "certificate: given twice (expected: only one of --acme, --cert, --keystore and --self-signed)");
        }
        if (selfSignedStorage != null && (issued != null || cert != null || keystore != null)) {
            throw Complaint.wrong(
                    "--self-signed-storage",
                    "given with --" + (issued != null ? "acme" : cert != null ? "cert" : "keystore"),
                    "only one of them");
        }
        if (issued != null) {
            builder.certificates(issued);
        } else if (cert != null && key != null) {
            builder.certificates(
                    keyPassword == null || keyPassword.isEmpty()
                            ? Certificates.pem(cert, key)
                            : Certificates.pem(cert, key, keyPassword));
        } else if (keystore != null) {
            builder.certificates(Certificates.pkcs12(keystore, keystorePassword == null ? "" : keystorePassword));
        } else {
            List<String> names = selfSigned.isEmpty() ? Certificates.localNames() : selfSigned;
            SelfSigned made =
                    Complaint.of("--self-signed", () -> Certificates.selfSigned(names.toArray(String[]::new)));
            builder.certificates(new SelfSignedFiles(selfSignedStorage).kept(made));
            untrusted = selfSigned.isEmpty();
        }
    }
}
