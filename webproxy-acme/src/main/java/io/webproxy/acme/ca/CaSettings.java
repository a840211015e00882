package io.webproxy.acme.ca;

import io.webproxy.acme.ChallengeKind;
import io.webproxy.acme.DnsRecordPublisher;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The settings for a CA.
 *
 * @param directory the URL of its directory (RFC 8555 section 7.1.1)
 * @param contacts mail addresses or {@code mailto:} URIs for the account
 * @param externalAccount the external account that the account is bound to
 * @param profile the certificate profile; empty: {@code shortlived} for IP addresses if the CA offers it, else the CA's
 *     default
 * @param challenges the types of challenges to use, in this order; empty: all that can work
 * @param dns publishes the records of {@link ChallengeKind#DNS_01}
 * @param resolvers DNS servers to check for published records; empty: the system's
 * @param trust PEM file of trusted certificates for the CA's server; empty: the JDK's
 * @param timeout for one request to the CA, from connecting to the answer's last byte
 */
public record CaSettings(
        URI directory,
        List<String> contacts,
        Optional<ExternalAccount> externalAccount,
        Optional<String> profile,
        List<ChallengeKind> challenges,
        Optional<DnsRecordPublisher> dns,
        List<InetSocketAddress> resolvers,
        Optional<Path> trust,
        Duration timeout) {
    public CaSettings {
        contacts = List.copyOf(contacts);
        challenges = List.copyOf(challenges);
        resolvers = List.copyOf(resolvers);
    }

    /** Its name in messages. */
    public String name() {
        return directory.getHost() == null ? directory.toString() : directory.getHost();
    }
}
