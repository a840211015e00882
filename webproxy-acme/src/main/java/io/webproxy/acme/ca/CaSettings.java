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
 * A CA, and how it is to be spoken to.
 *
 * @param directory where its directory is (RFC 8555 section 7.1.1)
 * @param contacts mail addresses or {@code mailto:} URIs for the account
 * @param externalAccount what the account is bound to
 * @param profile the kind of certificate; empty: {@code shortlived} for IP addresses if the CA has that, else the CA's
 *     default
 * @param challenges the kinds to use, in this order; empty: whichever can work
 * @param dns publishes the records of {@link ChallengeKind#DNS_01}
 * @param resolvers DNS servers that are asked whether a record can be seen; empty: the system's
 * @param trust PEM file of certificates that the CA's server is trusted by; empty: the JDK's
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

    /** How it is called in messages. */
    public String name() {
        return directory.getHost() == null ? directory.toString() : directory.getHost();
    }
}
