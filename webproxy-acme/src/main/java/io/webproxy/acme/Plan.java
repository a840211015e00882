package io.webproxy.acme;

import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.ca.ExternalAccount;
import io.webproxy.acme.certificate.CertificateName;
import io.webproxy.acme.certificate.Names;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.order.AcmeIssuer;
import io.webproxy.acme.order.Issuer;
import io.webproxy.acme.store.CaStore;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Validates a builder as a whole, and makes the certificate provider. */
final class Plan {
    /** The most names that Let's Encrypt puts into one certificate. */
    private static final int MOST_NAMES = 100;

    /** HMAC-SHA256 needs a key as long as its output (RFC 7518 section 3.2). */
    private static final int LEAST_MAC_KEY = 32;

    private static final Pattern MAIL = Pattern.compile("(mailto:)?[^\\s@,?<>]+@[^\\s@,?<>]+");
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofMinutes(10);

    private final AcmeCertificates.Builder told;
    private final List<String> problems = new ArrayList<>();
    private final List<Wanted> wanted = new ArrayList<>();

    Plan(AcmeCertificates.Builder told) {
        this.told = told;
    }

    AcmeCertificates certificates() {
        if (told.names.isEmpty() && told.more.isEmpty()) {
            problem("names", "none", "at least one DNS name or IP address");
        }
        if (!told.names.isEmpty()) {
            want("names", told.names);
        }
        told.more.forEach(names -> want("certificate", names));
        checkFirstNames();
        URI directory = directory();
        checkAccount();
        checkChallenges();
        if (!told.termsAccepted) {
            problem("acceptTermsOfService", "not called", "a call that says that you accept the CA's terms of service");
        }
        CertificateStore store = told.store;
        if (store == null) {
            problem("storage", "none", "storage(directory) or store(…), where certificates survive a restart");
        }
        if (told.profile != null && told.profile.isBlank()) {
            problem("profile", "''", "the name of one that the CA offers");
        }
        if (told.timeout.compareTo(SHORTEST) < 0 || told.timeout.compareTo(LONGEST) > 0) {
            problem("timeout", told.timeout.toString(), "1 s to 10 min");
        }
        if (!problems.isEmpty() || store == null || directory == null) {
            throw new IllegalArgumentException(String.join("\n", problems));
        }
        CaSettings settings = new CaSettings(
                directory,
                told.contacts,
                Optional.ofNullable(told.externalAccount),
                Optional.ofNullable(told.profile),
                told.challenges,
                Optional.ofNullable(told.dns),
                told.resolvers,
                Optional.ofNullable(told.trust),
                told.timeout);
        Issuer issuer = told.issuer;
        CertificateStore ofThisCa = new CaStore(store, directory);
        return new AcmeCertificates(
                settings,
                wanted,
                ofThisCa,
                told.clock,
                context ->
                        issuer != null ? issuer : new AcmeIssuer(settings, ofThisCa, context.challenges(), told.clock));
    }

    private void want(String setting, List<String> names) {
        List<String> canonical = new ArrayList<>();
        for (String name : names) {
            Optional<String> known = CertificateName.canonical(name);
            if (known.isEmpty()) {
                problem(
                        setting,
                        name,
                        "a DNS name in ASCII such as host.example.com or *.example.com, or an IP address");
            } else if (canonical.contains(known.get())) {
                problem(setting, name, "each name once in a certificate");
            } else {
                canonical.add(known.get());
            }
        }
        if (names.isEmpty()) {
            problem(setting, "none", "at least one DNS name or IP address");
        } else if (names.size() > MOST_NAMES) {
            problem(setting, names.size() + " names", "1-" + MOST_NAMES + " in a certificate; make several");
        }
        if (!canonical.isEmpty()) {
            told.keyTypes.forEach(type -> wanted.add(new Wanted(canonical, type.name())));
        }
    }

    /** Certificates are stored under their first name. */
    private void checkFirstNames() {
        Set<String> ids = new HashSet<>();
        for (Wanted one : wanted) {
            if (!ids.add(one.id()) && one.keyType().equals(told.keyTypes.get(0).name())) {
                problem("certificate", one.names().get(0), "each certificate with a first name of its own");
            }
        }
    }

    private @Nullable URI directory() {
        try {
            URI uri = URI.create(told.directory);
            if ("https".equalsIgnoreCase(uri.getScheme()) && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Reported below.
        }
        problem("directory", told.directory, "the https URL of an ACME directory");
        return null;
    }

    private void checkAccount() {
        for (String contact : told.contacts) {
            if (!MAIL.matcher(contact).matches()) {
                problem("contact", contact, "a mail address");
            }
        }
        ExternalAccount account = told.externalAccount;
        if (account != null && (account.keyId().isBlank() || !isMacKey(account.macKey()))) {
            problem(
                    "externalAccount",
                    "'" + account.keyId() + "'",
                    "a key id, and a key of at least " + LEAST_MAC_KEY + " bytes in base64url");
        }
    }

    private static boolean isMacKey(String base64) {
        try {
            return Base64.getUrlDecoder().decode(base64).length >= LEAST_MAC_KEY;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void checkChallenges() {
        List<ChallengeKind> kinds = told.challenges.isEmpty() ? Arrays.asList(ChallengeKind.values()) : told.challenges;
        boolean dns = kinds.contains(ChallengeKind.DNS_01) && told.dns != null;
        if (told.challenges.contains(ChallengeKind.DNS_01) && told.dns == null) {
            problem("challenges", "DNS_01", "dns(…), which publishes its records");
        }
        wanted.stream().flatMap(one -> one.names().stream()).distinct().forEach(name -> {
            if (Names.isWildcard(name) && !dns) {
                problem(
                        "names",
                        name,
                        told.dns == null
                                ? "dns(…) with it: a wildcard needs DNS_01"
                                : "DNS_01 among the challenges: a wildcard needs it");
            } else if (Names.isAddress(name) && kinds.equals(List.of(ChallengeKind.DNS_01))) {
                problem("names", name, "HTTP_01 or TLS_ALPN_01 among the challenges: DNS_01 isn't for IP addresses");
            }
        });
    }

    private void problem(String setting, String value, String expected) {
        problems.add(setting + ": " + value + " (expected: " + expected + ")");
    }
}
