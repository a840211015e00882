package io.webproxy.samples.cli;

import io.webproxy.ProxyStartException;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.tls.Certificates;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for a certificate that a CA issues and renews; until it is issued, a self-signed one is served. */
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
                    "Where account, keys and certificates are kept across restarts; default: .webproxy in the home"
                            + " directory.")
    private @Nullable Path storage;

    @Option(names = "--accept-terms", description = "Accepts the CA's terms of service; needed for --acme.")
    private boolean acceptTerms;

    @Option(
            names = "--acme-ca",
            paramLabel = "FILE",
            description = "A PEM file of what to trust when talking to the CA; default: the JVM's trust store.")
    private @Nullable Path ca;

    /** Whether any of these options is given. */
    boolean isGiven() {
        return !names.isEmpty()
                || acceptTerms
                || Stream.of(directory, contact, storage, ca).anyMatch(given -> given != null);
    }

    /** The certificate provider; null without these options. */
    @Nullable Certificates source() {
        if (names.isEmpty()) {
            if (isGiven()) {
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
                    "--accept-terms: missing (expected: --accept-terms, once you have read the terms of service of the"
                            + " CA)");
        }
        acme.acceptTermsOfService();
        if (directory != null) {
            acme.directory(directory);
        }
        if (contact != null) {
            acme.contact(contact);
        }
        if (ca != null) {
            checkCa(ca);
            acme.trust(ca);
        }
        return Certificates.firstOf(built(acme), Certificates.selfSigned(names.toArray(String[]::new)));
    }

    /** Checks the file at the start: the library reads it later, when a mistake is only a log line. */
    private static void checkCa(Path file) {
        try {
            InputStream in = new ByteArrayInputStream(Files.readAllBytes(file));
            if (CertificateFactory.getInstance("X.509").generateCertificates(in).isEmpty()) {
                throw new CertificateException("there is none");
            }
        } catch (NoSuchFileException e) {
            throw new ProxyStartException(
                    "--acme-ca: " + file + " doesn't exist (expected: a PEM file of certificates).", e);
        } catch (IOException e) {
            throw new ProxyStartException(
                    "--acme-ca: " + file + " can't be read (expected: a PEM file that this user may read).", e);
        } catch (CertificateException e) {
            throw new ProxyStartException(
                    "--acme-ca: there is no certificate in " + file + " (expected: a PEM file of certificates).", e);
        }
    }

    /** Builds the provider; reports all problems at once, by option. */
    private static AcmeCertificates built(AcmeCertificates.Builder acme) {
        try {
            return acme.build();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    String.valueOf(e.getMessage())
                            .lines()
                            .map(AcmeOptions::optionOf)
                            .collect(Collectors.joining("; ")),
                    e);
        }
    }

    private static String optionOf(String problem) {
        return problem.replaceFirst("^names: ", "--acme: ")
                .replaceFirst("^directory: ", "--acme-directory: ")
                .replaceFirst("^contact: ", "--acme-contact: ")
                .replace(
                        "dns(…) with it: a wildcard needs DNS_01",
                        "names without *: a wildcard needs DNS-01, which the command line can't do");
    }
}
