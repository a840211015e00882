package io.webproxy.acme;

import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.ca.ExternalAccount;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.check.PortProbe;
import io.webproxy.acme.check.Preflight;
import io.webproxy.acme.order.Issuer;
import io.webproxy.acme.renewal.OneAtATime;
import io.webproxy.acme.renewal.RenewalManager;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Certificates from a CA that speaks ACME (RFC 8555), renewed automatically while a server runs with them.
 *
 * <pre>{@code
 * AcmeCertificates certificates = AcmeCertificates.builder()
 *         .names("example.com", "www.example.com")
 *         .contact("admin@example.com")
 *         .acceptTermsOfService()
 *         .storage(Path.of("/var/lib/example/certificates"))
 *         .build();
 * }</pre>
 *
 * <p>Stored certificates are served from the first connection on. Until there is one, {@link #select} returns null: add
 * a self-signed certificate as a fallback with {@link io.webproxy.tls.Certificates#firstOf}. Thread-safe; serves one
 * running server at a time.
 */
public final class AcmeCertificates implements CertificateProvider {
    /**
     * The port to which a CA connects for {@code http-01}; that for {@code tls-alpn-01} is fixed too, whatever port a
     * server listens on behind a router (RFC 8555 section 8.3, RFC 8737 section 3).
     */
    private static final int HTTP_PORT = 80;

    private static final int TLS_PORT = 443;
    private static final int PROBE_TIMEOUT_MILLIS = 5_000;

    private final CaSettings settings;
    private final List<Wanted> wanted;
    private final CertificateStore store;
    private final Clock clock;
    private final Function<CertificateContext, Issuer> issuers;
    private volatile @Nullable Running running;

    AcmeCertificates(
            CaSettings settings,
            List<Wanted> wanted,
            CertificateStore store,
            Clock clock,
            Function<CertificateContext, Issuer> issuers) {
        this.settings = settings;
        this.wanted = List.copyOf(wanted);
        this.store = store;
        this.clock = clock;
        this.issuers = issuers;
    }

    /** Starts with Let's Encrypt, EC P-256 keys, and the challenges that the server can answer. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Chooses the first certificate, in the order of the builder's calls, for the host that the client asks for;
     * without SNI, the first for the local address, else the first of all. Certificates with a key that the client
     * can't use are skipped.
     */
    @Override
    public @Nullable KeyMaterial select(ClientHello hello) {
        Running now = running;
        return now == null ? null : now.select(hello);
    }

    /**
     * Loads stored certificates, and starts to obtain and renew.
     *
     * @throws IOException if the store can't be read
     * @throws IllegalStateException if a running server uses them already
     */
    @Override
    public synchronized void start(CertificateContext context) throws Exception {
        if (running != null) {
            throw new IllegalStateException(this + " serve a running server already (expected: one at a time)");
        }
        OneAtATime issuer = new OneAtATime(issuers.apply(context));
        RenewalManager manager = new RenewalManager(issuer, store, wanted, context, clock);
        manager.start();
        running = new Running(issuer, manager, context);
    }

    @Override
    public synchronized void stop() {
        Running now = running;
        running = null;
        if (now != null) {
            now.manager().stop();
        }
    }

    @Override
    public List<CertificateStatus> status() {
        Running now = running;
        return now != null
                ? now.manager().status()
                : wanted.stream().map(one -> CertificateStatus.of(one.names())).toList();
    }

    /**
     * Checks what an attempt needs, without making one: the CA and its requirements, the clock, the DNS and CAA records
     * of each name, and, while a server runs with these certificates, whether ports 80 and 443 of each name lead to it.
     * Blocks for as long as the network takes: not for IO threads.
     *
     * @return the findings, general ones first, then name by name
     * @throws InterruptedException if the thread is interrupted meanwhile
     */
    public List<CheckFinding> check() throws InterruptedException {
        return check(HTTP_PORT, TLS_PORT);
    }

    List<CheckFinding> check(int httpPort, int tlsPort) throws InterruptedException {
        Running now = running;
        if (now == null) {
            return new Preflight(settings, wanted, clock, null, null).look();
        }
        ChallengeResponder responder = now.challenges();
        if (!now.issuer().pause()) {
            return new Preflight(settings, wanted, clock, responder, null).look();
        }
        try {
            PortProbe probe = new PortProbe(responder, httpPort, tlsPort, PROBE_TIMEOUT_MILLIS);
            return new Preflight(settings, wanted, clock, responder, probe).look();
        } finally {
            now.issuer().goOn();
        }
    }

    /**
     * Revokes the certificates that are served for a name, for example because a key was compromised (RFC 8555 section
     * 7.6), and obtains others. Blocks for as long as the CA takes: not for IO threads.
     *
     * @param name a DNS name or an IP address
     * @throws IllegalArgumentException if no certificate is served for it
     * @throws IllegalStateException if no server runs with these certificates
     * @throws IOException if the CA refuses or can't be reached; the message is a sentence
     */
    public void revoke(String name) throws IOException, InterruptedException {
        Objects.requireNonNull(name, "name");
        Running now = running;
        if (now == null) {
            throw new IllegalStateException(
                    "revoke: " + name + " (expected: a running server with these certificates)");
        }
        now.revoke(name);
    }

    /** Names the certificates, without any secret. */
    @Override
    public String toString() {
        return "acme(" + String.join(", ", wanted.stream().map(Wanted::id).toList()) + ")";
    }

    /** Collects the names, the CA and the store. {@link #build} reports all problems together. Not thread-safe. */
    public static final class Builder {
        private static final String LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
        private static final String LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory";

        final List<String> names = new ArrayList<>();
        final List<List<String>> more = new ArrayList<>();
        final List<String> contacts = new ArrayList<>();
        final List<InetSocketAddress> resolvers = new ArrayList<>();
        String directory = LETS_ENCRYPT;
        boolean termsAccepted;

        @Nullable CertificateStore store;

        @Nullable Path trust;

        @Nullable ExternalAccount externalAccount;

        List<KeyType> keyTypes = List.of(KeyType.EC);

        @Nullable String profile;

        List<ChallengeKind> challenges = List.of();

        @Nullable DnsRecordPublisher dns;

        Duration timeout = Duration.ofSeconds(30);
        Clock clock = Clock.systemUTC();

        @Nullable Issuer issuer;

        private Builder() {}

        /**
         * Adds names to the first certificate, which is for all of them: DNS names, wildcards such as
         * {@code *.example.com}, which need {@link #dns}, and IP addresses.
         */
        public Builder names(String... names) {
            addAll(this.names, names);
            return this;
        }

        /** Adds another certificate, for these names. */
        public Builder certificate(String... names) {
            List<String> its = new ArrayList<>();
            addAll(its, names);
            more.add(its);
            return this;
        }

        private static void addAll(List<String> list, String... names) {
            for (String name : Objects.requireNonNull(names, "names")) {
                list.add(Objects.requireNonNull(name, "name"));
            }
        }

        /** The CA, by the {@code https} URL of its directory (RFC 8555 section 7.1.1). Default: Let's Encrypt. */
        public Builder directory(String url) {
            this.directory = Objects.requireNonNull(url, "url");
            return this;
        }

        /** The staging server of Let's Encrypt: generous limits, and certificates that no client trusts. */
        public Builder staging() {
            return directory(LETS_ENCRYPT_STAGING);
        }

        /** Adds a mail address for messages from the CA. Default: none. */
        public Builder contact(String mail) {
            contacts.add(Objects.requireNonNull(mail, "mail"));
            return this;
        }

        /** Accepts the CA's terms of service, which you have read. Required. */
        public Builder acceptTermsOfService() {
            termsAccepted = true;
            return this;
        }

        /**
         * Stores account, keys and certificates in a directory, see {@link CertificateStore#directory}. This or
         * {@link #store} is required.
         */
        public Builder storage(Path directory) {
            return store(CertificateStore.directory(Objects.requireNonNull(directory, "directory")));
        }

        /** Stores account, keys and certificates in your own store. */
        public Builder store(CertificateStore store) {
            this.store = Objects.requireNonNull(store, "store");
            return this;
        }

        /** A PEM file of certificates to verify a private CA's own HTTPS, instead of those that the JDK trusts. */
        public Builder trust(Path pem) {
            this.trust = Objects.requireNonNull(pem, "pem");
            return this;
        }

        /**
         * Binds the account to an external account at the CA (RFC 8555 section 7.3.4).
         *
         * @param keyId its id at the CA
         * @param hmac its key, as issued by the CA, in base64url
         */
        public Builder externalAccount(String keyId, String hmac) {
            this.externalAccount =
                    new ExternalAccount(Objects.requireNonNull(keyId, "keyId"), Objects.requireNonNull(hmac, "hmac"));
            return this;
        }

        /**
         * The key types: there is one certificate of each type for the same names, and a client gets the first that it
         * can use. Default: {@link KeyType#EC}.
         */
        public Builder keyType(KeyType first, KeyType... more) {
            List<KeyType> types = new ArrayList<>(List.of(Objects.requireNonNull(first, "keyType")));
            types.addAll(List.of(more));
            this.keyTypes = types.stream().distinct().toList();
            return this;
        }

        /**
         * The certificate profile, one of those that the CA offers. Default: {@code shortlived} for IP addresses if the
         * CA offers it, else the CA's default.
         */
        public Builder profile(String name) {
            this.profile = Objects.requireNonNull(name, "profile");
            return this;
        }

        /**
         * The challenges to use, in this order: after a failure the next attempt uses the next one. Default: those that
         * the server can answer, {@link ChallengeKind#TLS_ALPN_01} before {@link ChallengeKind#HTTP_01} before
         * {@link ChallengeKind#DNS_01}.
         */
        public Builder challenges(ChallengeKind... kinds) {
            this.challenges = List.of(Objects.requireNonNull(kinds, "kinds")).stream()
                    .distinct()
                    .toList();
            return this;
        }

        /** Publishes the records of {@link ChallengeKind#DNS_01}. Default: none, and no wildcards. */
        public Builder dns(DnsRecordPublisher publisher) {
            this.dns = Objects.requireNonNull(publisher, "publisher");
            return this;
        }

        /** Adds a DNS server for checks of published records and for {@link #check}. Default: the system's. */
        public Builder resolver(InetSocketAddress server) {
            resolvers.add(Objects.requireNonNull(server, "server"));
            return this;
        }

        /**
         * How long one request to the CA may take, from connecting to the last byte of the response; 1 s to 10 min.
         * Default: 30 s.
         */
        public Builder timeout(Duration timeout) {
            this.timeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /** A clock for tests. */
        Builder clock(Clock clock) {
            this.clock = clock;
            return this;
        }

        /** A CA for tests. */
        Builder issuer(Issuer issuer) {
            this.issuer = issuer;
            return this;
        }

        /**
         * Makes the provider; sends no request yet.
         *
         * @throws IllegalArgumentException if there is a problem; the message has a line for each
         */
        public AcmeCertificates build() {
            return new Plan(this).certificates();
        }
    }
}
