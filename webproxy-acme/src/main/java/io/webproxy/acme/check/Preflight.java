package io.webproxy.acme.check;

import io.webproxy.acme.ChallengeKind;
import io.webproxy.acme.CheckFinding;
import io.webproxy.acme.CheckFinding.Severity;
import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.ca.CaDirectory;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.spi.IpLiteral;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Checks everything that an attempt to obtain certificates needs, without making one. Blocks for as long as the network
 * takes.
 */
public final class Preflight {
    private static final Duration GOOD_CLOCK = Duration.ofMinutes(5);

    private final CaSettings settings;
    private final List<Wanted> wanted;
    private final Clock clock;
    private final @Nullable ChallengeResponder responder;
    private final @Nullable PortProbe probe;
    private final DnsLookup dns;
    private final List<CheckFinding> findings = new ArrayList<>();

    /**
     * For one check.
     *
     * @param responder null while no server runs
     * @param probe null while that would disturb an attempt, or no server runs
     */
    public Preflight(
            CaSettings settings,
            List<Wanted> wanted,
            Clock clock,
            @Nullable ChallengeResponder responder,
            @Nullable PortProbe probe) {
        this.settings = settings;
        this.wanted = wanted;
        this.clock = clock;
        this.responder = responder;
        this.probe = probe;
        this.dns = new DnsLookup(settings.resolvers());
    }

    /** Runs the checks, and returns the findings. */
    public List<CheckFinding> look() throws InterruptedException {
        Set<String> names = new LinkedHashSet<>();
        wanted.forEach(one -> names.addAll(one.names()));

        List<String> identities = List.of();
        try {
            CaDirectory ca = CaDirectory.ask(settings);
            identities = ca.caaIdentities();
            lookAtCa(ca, names);
        } catch (AcmeFailure e) {
            say(Severity.ERROR, "", String.valueOf(e.getMessage()));
        }
        if (probe == null) {
            say(
                    Severity.INFO,
                    "",
                    (responder == null
                                    ? "no server runs with these certificates yet"
                                    : "a certificate is being obtained just now")
                            + ": whether ports lead to this server isn't tried");
        }
        for (String name : names) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            InetAddress literal = IpLiteral.parse(name);
            if (literal == null) {
                lookAtName(name, identities);
            } else {
                lookAtAddress(name, literal);
            }
        }
        return List.copyOf(findings);
    }

    private void lookAtCa(CaDirectory ca, Set<String> names) {
        ca.clock().ifPresent(theirs -> {
            Duration ahead = Duration.between(theirs, clock.instant());
            if (ahead.abs().compareTo(GOOD_CLOCK) > 0) {
                say(
                        Severity.WARNING,
                        "",
                        "the clock of this machine is " + words(ahead.abs())
                                + (ahead.isNegative() ? " behind" : " ahead of") + " that of " + settings.name()
                                + ": set it by NTP");
            }
        });
        if (ca.externalAccountRequired() && settings.externalAccount().isEmpty()) {
            say(
                    Severity.ERROR,
                    "",
                    settings.name()
                            + " wants accounts to be bound to one that you have there: give externalAccount(…)");
        }
        Optional<String> profile = settings.profile();
        if (profile.isPresent() && !ca.profiles().contains(profile.get())) {
            say(
                    Severity.ERROR,
                    "",
                    "profile: " + profile.get() + " (expected: "
                            + (ca.profiles().isEmpty()
                                    ? "none, " + settings.name() + " has no profiles"
                                    : "one that " + settings.name() + " offers: "
                                            + ca.profiles().stream().sorted().collect(Collectors.joining(", ")))
                            + ")");
        }
        for (String name : names) {
            if (IpLiteral.parse(name) != null
                    && profile.isEmpty()
                    && !ca.profiles().isEmpty()
                    && !ca.profiles().contains("shortlived")) {
                say(
                        Severity.WARNING,
                        name,
                        settings.name()
                                + " doesn't offer the profile shortlived, which certificates for IP addresses mostly"
                                + " need");
            }
        }
    }

    private void lookAtName(String name, List<String> identities) {
        List<ChallengeKind> kinds = kinds(name);
        try {
            CaaPolicy.objection(name, identities, kinds, dns::caa).ifPresent(why -> say(Severity.ERROR, name, why));
        } catch (IOException e) {
            say(Severity.ERROR, name, "its CAA records can't be looked up, which stops the CA too: " + e.getMessage());
        }
        if (!canBeProven(name, kinds) || kinds.stream().allMatch(kind -> kind == ChallengeKind.DNS_01)) {
            return;
        }
        List<InetAddress> addresses;
        try {
            addresses = dns.addresses(name);
        } catch (IOException e) {
            say(Severity.ERROR, name, "its address can't be looked up: " + e.getMessage());
            return;
        }
        if (addresses.isEmpty()) {
            say(Severity.ERROR, name, "has no address in the DNS: make an A or AAAA record that leads to this server");
            return;
        }
        boolean here = addresses.stream().anyMatch(Preflight::isOfThisMachine);
        say(
                Severity.INFO,
                name,
                "resolves to "
                        + addresses.stream().map(IpLiteral::text).collect(Collectors.joining(", "))
                        + (here ? ", of this machine" : ", which isn't of this machine: right only if it leads here"));
        addresses.forEach(address -> probe(name, address, kinds));
    }

    private void lookAtAddress(String name, InetAddress address) {
        List<ChallengeKind> kinds = kinds(name);
        if (!canBeProven(name, kinds)) {
            return;
        }
        if (address.isSiteLocalAddress() || address.isLoopbackAddress() || address.isLinkLocalAddress()) {
            say(Severity.WARNING, name, "is no public address: only a private CA certifies it");
        }
        probe(name, address, kinds);
    }

    /**
     * The types of challenges that can be used for a name, as far as that is known; without a server, all that aren't
     * ruled out.
     */
    private List<ChallengeKind> kinds(String name) {
        boolean wildcard = name.startsWith("*.");
        boolean address = IpLiteral.parse(name) != null;
        List<ChallengeKind> chosen =
                settings.challenges().isEmpty() ? List.of(ChallengeKind.values()) : settings.challenges();
        return chosen.stream()
                .filter(kind -> switch (kind) {
                    case HTTP_01 -> !wildcard && (responder == null || responder.httpPort() != 0);
                    case TLS_ALPN_01 -> !wildcard && (responder == null || responder.httpsPort() != 0);
                    case DNS_01 -> !address && settings.dns().isPresent();
                })
                .toList();
    }

    private boolean canBeProven(String name, List<ChallengeKind> kinds) {
        if (kinds.isEmpty()) {
            say(
                    Severity.ERROR,
                    name,
                    "there is no way to prove that it's yours: it takes an endpoint of TLS on port 443, a cleartext one"
                            + " on port 80, or dns(…)");
        }
        return !kinds.isEmpty();
    }

    private void probe(String name, InetAddress address, List<ChallengeKind> kinds) {
        if (probe != null && kinds.contains(ChallengeKind.TLS_ALPN_01)) {
            say(name, probe.tls(name, address));
        }
        if (probe != null && kinds.contains(ChallengeKind.HTTP_01)) {
            say(name, probe.http(name, address));
        }
    }

    private void say(String name, PortProbe.Outcome outcome) {
        say(outcome.reached() ? Severity.INFO : Severity.WARNING, name, outcome.sentence());
    }

    private void say(Severity severity, String name, String sentence) {
        findings.add(new CheckFinding(severity, name, sentence));
    }

    private static boolean isOfThisMachine(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return false;
        }
    }

    private static String words(Duration time) {
        if (time.toDays() > 1) {
            return time.toDays() + " days";
        }
        return time.toHours() > 1 ? time.toHours() + " hours" : time.toMinutes() + " minutes";
    }
}
