package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tls.TlsProvider;
import io.webproxy.undertow.tls.engine.EngineContext;
import io.webproxy.undertow.tls.engine.ForwardingSslEngine;
import io.webproxy.undertow.tls.engine.HandshakeKeys;
import io.webproxy.undertow.tls.engine.TlsEngines;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's side of TLS: one context whose certificates can be swapped; another only when other clients are let in
 * than before.
 *
 * <p>ALPN {@code h2}, {@code http/1.1}, {@code http/1.0} (RFC 7301); session tickets. Thread-safe.
 */
public final class ServerTls {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    private static final List<String> PROTOCOLS = List.of("h2", "http/1.1", "http/1.0");

    private static final int INTERNAL_ERROR = 80;

    /** RFC 6066 section 3. */
    private static final int UNRECOGNIZED_NAME = 112;

    private final TlsEngines engines;
    private final CertificateLoader loader;
    private final SniKeyManager keys;
    private final ServerContexts contexts;
    private final SSLContext context;
    private volatile ServedCertificates served;
    private volatile ServerContext current;
    /** Those of endpoints that ask their clients for something of their own. */
    private volatile Map<ClientCertificates, ServerContext> others;

    private ServerTls(
            List<CertificateSource> sources,
            ClientCertificates clients,
            Set<ClientCertificates> ofEndpoints,
            TlsEngines engines,
            Clock clock) {
        this.engines = engines;
        this.loader = new CertificateLoader(clock);
        this.served = ServedCertificates.of(
                servable(loader.load(sources), engines, List.of()), new IdentityHashMap<>(), loader.now());
        this.keys = new SniKeyManager(served.chooser());
        this.contexts = new ServerContexts(engines, keys, ClientTrust.load(clients));
        ServerContext first = contexts.first();
        this.current = first;
        this.others = contexts.ofEndpoints(ofEndpoints, List.of(first));
        this.context = new EngineContext(first.context(), (host, port) -> contexts.newEngine(current, PROTOCOLS));
        loader.keep();
    }

    /**
     * Loads the certificates and makes the context. Reads files and, for a self-signed certificate, makes a key: not
     * for an IO thread.
     *
     * @param sources the first is for clients that ask for no name or an unknown one; empty for a self-signed
     *     certificate for localhost and the local names and addresses, which one WARN line announces
     * @param clients whether they are asked for a certificate
     * @param ofEndpoints the same, of endpoints that have it of their own
     * @throws ProxyStartException with one sentence, if one can't be served
     */
    public static ServerTls create(
            List<CertificateSource> sources,
            ClientCertificates clients,
            Set<ClientCertificates> ofEndpoints,
            TlsProvider provider) {
        return create(sources, clients, ofEndpoints, provider, Clock.systemUTC());
    }

    /** One that asks clients for nothing. */
    static ServerTls create(List<CertificateSource> sources, TlsProvider provider) {
        return create(sources, provider, Clock.systemUTC());
    }

    static ServerTls create(List<CertificateSource> sources, TlsProvider provider, Clock clock) {
        return create(sources, ClientCertificates.off(), Set.of(), provider, clock);
    }

    private static ServerTls create(
            List<CertificateSource> sources,
            ClientCertificates clients,
            Set<ClientCertificates> ofEndpoints,
            TlsProvider provider,
            Clock clock) {
        ServerTls tls = new ServerTls(sources, clients, ofEndpoints, TlsEngines.of(provider), clock);
        LOG.info("TLS is served by {}", tls.providerName());
        return tls;
    }

    /** Who serves: {@code Conscrypt} or {@code JDK}. */
    public String providerName() {
        return engines.name();
    }

    /** The context; its engines come configured, also for {@link SSLEngine#setUseClientMode} to be called once more. */
    public SSLContext sslContext() {
        return context;
    }

    /**
     * The same for endpoints that ask their clients for something of their own, which this was told; it follows what is
     * in force.
     */
    SSLContext sslContext(ClientCertificates own) {
        ServerContext first = others.get(own);
        if (first == null) {
            throw new IllegalArgumentException("nothing is known of " + own);
        }
        return new EngineContext(first.context(), new EngineContext.Factory() {
            private volatile ServerContext last = first;

            @Override
            public SSLEngine newEngine(@Nullable String host, int port) {
                // handshakes may go on for a moment when no endpoint asks for that any more
                ServerContext now = others.get(own);
                if (now != null) {
                    last = now;
                }
                return contexts.newEngine(last, PROTOCOLS);
            }
        });
    }

    /**
     * Tells an engine of this context what to serve, before it is given a byte. One that isn't told serves what is for
     * clients that name no host.
     */
    static void expect(SSLEngine engine, HandshakeKeys chosen) {
        if (engine instanceof ForwardingSslEngine ours) {
            ours.keys = chosen;
        }
    }

    /** What is served to a client, at least one. */
    HandshakeKeys choose(ClientHello hello) throws HelloRefused {
        List<String> offered = hello.applicationProtocols();
        if (!offered.isEmpty() && Collections.disjoint(offered, PROTOCOLS)) {
            throw new HelloRefused(HelloRefused.NO_APPLICATION_PROTOCOL, "it offers no protocol that is spoken here");
        }
        HandshakeKeys chosen;
        try {
            chosen = keys.choose(hello);
        } catch (AskedProvider.Failed e) {
            throw new HelloRefused(INTERNAL_ERROR, "a provider of certificates failed");
        }
        if (chosen.candidates().isEmpty()) {
            throw new HelloRefused(UNRECOGNIZED_NAME, "there is no certificate");
        }
        return chosen;
    }

    /** Certificates that have been loaded and can be served. */
    public final class Prepared {
        private final ServedCertificates served;
        private final ServerContext next;
        private final Map<ClientCertificates, ServerContext> nextOthers;

        private Prepared(LoadedSources sources, ServerContext next, Map<ClientCertificates, ServerContext> nextOthers) {
            this.served = ServerTls.this.served.with(sources, loader.now());
            this.next = next;
            this.nextOthers = nextOthers;
        }

        /** What {@link ServerTls#makeStandIns} does, for these. */
        public void makeStandIns() {
            served.makeStandIns();
        }

        /** Serves them from the next handshake on, in place of all others. Sessions and tickets stay good. */
        public void putInForce() {
            synchronized (loader) {
                loader.keep();
                serve(served);
                current = next;
                others = nextOthers;
            }
        }
    }

    /**
     * Makes the self-signed certificates in place of which no provider has anything, so that no client has to wait for
     * one: for when providers have started. Not for an IO thread.
     */
    public void makeStandIns() {
        served.makeStandIns();
    }

    /**
     * Loads certificates. Files are read again; a self-signed certificate that isn't stored stays as long as its names
     * and key kind do.
     *
     * <p>Sessions and tickets stay valid unless other clients are let in than before.
     *
     * @throws ProxyStartException with one sentence, if one can't be served
     */
    public Prepared prepare(
            List<CertificateSource> sources, ClientCertificates clients, Set<ClientCertificates> ofEndpoints) {
        synchronized (loader) {
            ServerContext next = contexts.of(ClientTrust.load(clients), current);
            List<ServerContext> known = new ArrayList<>(others.values());
            known.add(next);
            return new Prepared(
                    servable(loader.load(sources), engines, served.sources().all()),
                    next,
                    contexts.ofEndpoints(ofEndpoints, known));
        }
    }

    /** The same for the clients that are let in already. */
    Prepared prepare(List<CertificateSource> sources) {
        synchronized (loader) {
            return new Prepared(
                    servable(loader.load(sources), engines, served.sources().all()), current, others);
        }
    }

    /** Whether there are files to look at. */
    public boolean hasFiles() {
        return served.sources().hasFiles();
    }

    /**
     * Looks at the files of all sources, and serves what has changed in them, if that can be served. Not for an IO
     * thread.
     *
     * @param events is told what has changed, and what failed when it fails for the first time
     */
    public void reload(Consumer<CertificateEvent> events) {
        List<CertificateEvent> happened = new ArrayList<>();
        synchronized (loader) {
            ServedCertificates now = served;
            LoadedSources before = now.sources();
            LoadedSources after = before.reloaded(new FileReload(this::read, happened::add, loader::isDue));
            if (!after.equals(before)) {
                serve(now.with(after, loader.now()));
            }
        }
        happened.forEach(events);
    }

    private HeldKeys read(CertificateSource source, List<FileStamp> stamps) {
        HeldKeys read = loader.read(source, stamps);
        read.materials().forEach(material -> checkServable(material, engines));
        return read;
    }

    /** The providers among these sources, each once. */
    public static List<CertificateProvider> providers(List<CertificateSource> sources) {
        return LoadedSources.leaves(sources).stream()
                .filter(CertificateProvider.class::isInstance)
                .map(CertificateProvider.class::cast)
                .toList();
    }

    /** What is served and wanted, in the order of configuration. */
    public List<CertificateStatus> status() {
        return served.status();
    }

    private void serve(ServedCertificates next) {
        keys.update(next.chooser());
        served = next;
    }

    /**
     * The host that a session's client has named (RFC 6066 section 3), lower case and without a trailing dot; empty if
     * none.
     */
    public static String requestedName(SSLSession session) {
        return session instanceof ExtendedSSLSession extended ? SniKeyManager.requestedName(extended) : "";
    }

    /**
     * Whether what is served to a client is for a host; true if a provider that has to know fails.
     *
     * @param requested what the client has named; empty if nothing
     * @param local the address that it has reached
     * @param host lower case, without a port and a trailing dot
     */
    public boolean isCovered(String requested, InetSocketAddress local, String host) {
        return keys.isCovered(requested, local, host);
    }

    /**
     * Whether there is a certificate for a host, for clients that have reached this address; true if a provider that
     * has to know fails.
     */
    public boolean hasCertificate(String host, InetSocketAddress local) {
        return keys.hasCertificate(host, local);
    }

    /** Says which are served that weren't served before. */
    private static LoadedSources servable(LoadedSources sources, TlsEngines engines, List<KeyMaterial> before) {
        Set<X509Certificate> known = before.stream().map(KeyMaterial::leaf).collect(Collectors.toSet());
        for (KeyMaterial material : sources.all()) {
            checkServable(material, engines);
            if (known.add(material.leaf())) {
                LOG.info("Serving the {}", material);
            }
        }
        return sources;
    }

    private static void checkServable(KeyMaterial material, TlsEngines engines) {
        if (!engines.canServe(material.keyType())) {
            throw new ProxyStartException("The key of the " + material + " is of a kind that " + engines.name()
                    + " can't serve: use an EC or RSA key, or tlsProvider(TlsProvider.JDK).");
        }
    }

    /** A context of its own that serves one certificate to anybody and speaks nothing but these protocols. */
    SSLContext challengeContext(KeyMaterial certificate, List<String> protocols) {
        checkServable(certificate, engines);
        SniKeyManager only = new SniKeyManager(new DefaultLast(new ServedKeys(List.of(certificate), loader.now())));
        try {
            ServerContext made = contexts.ofOther(only);
            return new EngineContext(made.context(), (host, port) -> contexts.newEngine(made, protocols));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("TLS by " + engines.name() + " can't serve the " + certificate, e);
        }
    }
}
