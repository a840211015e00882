package io.webproxy.samples.cli;

import io.webproxy.acme.AcmeCertificates;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.Certificates;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A certificate that a CA issues and renews; until it has, a self-signed one serves. */
final class AcmeOptions {
    @Option(
            names = "--acme",
            paramLabel = "NAME_OR_IP",
            split = ",",
            description =
                    "A certificate for these names and IP addresses, separated by commas, obtained and renewed by ACME;"
                            + " a self-signed one serves until it is there.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--acme-directory",
            paramLabel = "URL",
            description = "The CA's directory; default: that of Let's Encrypt.")
    private @Nullable String directory;

    @Option(
            names = "--acme-contact",
            paramLabel = "MAIL",
            description = "The mail address that the CA may write to; default: none.")
    private @Nullable String contact;

    @Option(
            names = "--acme-storage",
            paramLabel = "DIR",
            description =
                    "Where account, keys and certificates are kept across restarts; default: .webproxy in the home directory.")
    private @Nullable Path storage;

    @Option(names = "--accept-terms", description = "Accepts the CA's terms of service; needed for --acme.")
    private boolean acceptTerms;

    @Option(
            names = "--acme-ca",
            paramLabel = "FILE",
            description = "A PEM file of what to trust when talking to the CA; default: the JVM's trust store.")
    private @Nullable Path ca;

    /** What was asked for; null if nothing was. */
    @Nullable CertificateSource source() {
        if (names.isEmpty()) {
            if (acceptTerms || Stream.of(directory, contact, storage, ca).anyMatch(given -> given != null)) {
                throw new IllegalArgumentException(
                        "--acme: missing (expected: --acme NAME with the other --acme options)");
            }
            return null;
        }
        AcmeCertificates.Builder acme = AcmeCertificates.builder()
                .names(names.toArray(String[]::new))
                .storage(storage == null ? Path.of(System.getProperty("user.home"), ".webproxy") : storage);
        if (!acceptTerms) {
            throw new IllegalArgumentException(
                    "--accept-terms: missing (expected: --accept-terms, once you have read the terms of service of the CA)");
        }
        acme.acceptTermsOfService();
        if (directory != null) {
            acme.directory(directory);
        }
        if (contact != null) {
            acme.contact(contact);
        }
        if (ca != null) {
            acme.trust(ca);
        }
        return Certificates.firstOf(acme.build(), Certificates.selfSigned(names.toArray(String[]::new)));
    }
}
