package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.TlsProvider;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
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
 * The server's side of TLS: one context whose certificates can be replaced; a new context only if the trust in clients
 * changes.
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
    /** The contexts of endpoints with their own rules for client certificates. */
    private volatile Map<ClientCertificates, ServerContext> others;

    private ServerTls(
            List<Certificates> sources,
            ClientCertificates clients,
            Set<ClientCertificates> ofEndpoints,
            TlsEngines engines,
            Clock clock) {
        this.engines = engines;
        this.loader = new CertificateLoader(clock, material -> checkServable(material, engines));
        this.served = ServedCertificates.of(
                logged(loader.load(sources, null), List.of()), new IdentityHashMap<>(), loader.now());
        this.keys = new SniKeyManager(served.chooser());
        this.contexts = new ServerContexts(engines, keys, ClientTrust.load(clients));
        ServerContext first = contexts.first();
        this.current = first;
        this.others = contexts.ofEndpoints(ofEndpoints, List.of(first));
        this.context = new EngineContext(first.context(), (host, port) -> contexts.newEngine(current, PROTOCOLS));
        loader.keep();
    }

    /**
     * Loads the certificates and makes the context. Reads files and may make a key: not for an IO thread.
     *
     * @param sources the first is for clients without SNI or with an unknown name; if empty, a self-signed certificate
     *     for localhost and the local names and addresses is made, with one WARN line
     * @param clients the rules for client certificates
     * @param ofEndpoints the rules of endpoints that have their own
     * @throws ProxyStartException with one sentence, if a certificate can't be served
     */
    public static ServerTls create(
            List<Certificates> sources,
            ClientCertificates clients,
            Set<ClientCertificates> ofEndpoints,
            TlsProvider provider) {
        return create(sources, clients, ofEndpoints, provider, Clock.systemUTC());
    }

    /** Without client certificates. */
    static ServerTls create(List<Certificates> sources, TlsProvider provider) {
        return create(sources, provider, Clock.systemUTC());
    }

    static ServerTls create(List<Certificates> sources, TlsProvider provider, Clock clock) {
        return create(sources, ClientCertificates.off(), Set.of(), provider, clock);
    }

    private static ServerTls create(
            List<Certificates> sources,
            ClientCertificates clients,
            Set<ClientCertificates> ofEndpoints,
            TlsProvider provider,
            Clock clock) {
        ServerTls tls = new ServerTls(sources, clients, ofEndpoints, TlsEngines.of(provider), clock);
        LOG.info("TLS is served by {}", tls.providerName());
        return tls;
    }

    /** The TLS implementation: {@code Conscrypt} or {@code JDK}. */
    public String providerName() {
        return engines.name();
    }

    /** The context; its engines are configured, and accept another call of {@link SSLEngine#setUseClientMode}. */
    public SSLContext sslContext() {
        return context;
    }

    /**
     * The context for endpoints with their own rules for client certificates, which this must know; it follows updates.
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
                // handshakes may still be in progress when no endpoint has these rules any more
                ServerContext now = others.get(own);
                if (now != null) {
                    last = now;
                }
                return contexts.newEngine(last, PROTOCOLS);
            }
        });
    }

    /**
     * Sets the keys for an engine of this context, before it gets a byte. Otherwise it serves the default for clients
     * without SNI.
     */
    static void expect(SSLEngine engine, HandshakeKeys chosen) {
        if (engine instanceof ForwardingSslEngine ours) {
            ours.keys = chosen;
        }
    }

    /** Whether a handshake of such an engine has resumed a session of an earlier connection. */
    public static boolean isResumed(SSLEngine engine) {
        return engine instanceof ForwardingSslEngine ours && ours.isResumed();
    }

    /** The keys for a client, at least one. */
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

    /** Certificates that were loaded and can be served. */
    public final class Prepared {
        private final ServedCertificates served;
        private final ServerContext next;
        private final Map<ClientCertificates, ServerContext> nextOthers;

        private Prepared(LoadedSources sources, ServerContext next, Map<ClientCertificates, ServerContext> nextOthers) {
            this.served = ServerTls.this.served.with(sources, loader.now());
            this.next = next;
            this.nextOthers = nextOthers;
        }

        /** See {@link ServerTls#makeStandIns}, for these certificates. */
        public void makeStandIns() {
            served.makeStandIns();
        }

        /** Serves them from the next handshake on, instead of all others. Sessions and tickets stay valid. */
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
     * Makes the self-signed certificates that are needed because providers have none, so that no client has to wait for
     * one; call it after the providers have started. Not for an IO thread.
     */
    public void makeStandIns() {
        served.makeStandIns();
    }

    /**
     * Loads certificates. Files are read again; a self-signed certificate that isn't stored is kept if its names and
     * key type are unchanged.
     *
     * <p>Sessions and tickets stay valid unless the trust in clients changes.
     *
     * @throws ProxyStartException with one sentence, if a certificate can't be served
     */
    public Prepared prepare(
            List<Certificates> sources, ClientCertificates clients, Set<ClientCertificates> ofEndpoints) {
        synchronized (loader) {
            ServerContext next = contexts.of(ClientTrust.load(clients), current);
            List<ServerContext> known = new ArrayList<>(others.values());
            known.add(next);
            return new Prepared(
                    logged(
                            loader.load(sources, served.sources()),
                            served.sources().all()),
                    next,
                    contexts.ofEndpoints(ofEndpoints, known));
        }
    }

    /** The same with unchanged rules for client certificates. */
    Prepared prepare(List<Certificates> sources) {
        synchronized (loader) {
            return new Prepared(
                    logged(
                            loader.load(sources, served.sources()),
                            served.sources().all()),
                    current,
                    others);
        }
    }

    /** Whether there are files to watch. */
    public boolean hasFiles() {
        return served.sources().hasFiles();
    }

    /**
     * Checks the files of all sources, and serves valid changes. Not for an IO thread.
     *
     * @param events is told about changes, and about the first of repeated failures
     */
    public void reload(Consumer<Consumer<ProxyObserver>> events) {
        tellFailures(events);
        List<Consumer<ProxyObserver>> happened = new ArrayList<>();
        synchronized (loader) {
            ServedCertificates now = served;
            LoadedSources before = now.sources();
            LoadedSources after = before.reloaded(new FileReload(loader::read, happened::add, loader::isDue));
            if (!after.equals(before)) {
                serve(now.with(after, loader.now()));
            }
        }
        happened.forEach(events);
    }

    /**
     * Tells observers what the updates in force found: files that broke while they were served. Afterwards
     * {@link #reload} doesn't tell it again.
     */
    public void tellFailures(Consumer<Consumer<ProxyObserver>> events) {
        List<Consumer<ProxyObserver>> untold;
        synchronized (loader) {
            untold = loader.takeUntold();
        }
        untold.forEach(events);
    }

    /** The providers among these sources, each once. */
    public static List<CertificateProvider> providers(List<Certificates> sources) {
        return LoadedSources.leaves(sources).stream()
                .filter(CertificateProvider.class::isInstance)
                .map(CertificateProvider.class::cast)
                .toList();
    }

    /** The certificates served and wanted, in the order of configuration. */
    public List<CertificateStatus> status() {
        return served.status();
    }

    private void serve(ServedCertificates next) {
        keys.update(next.chooser());
        served = next;
    }

    /**
     * The host that a session's client named by SNI (RFC 6066 section 3), in lower case and without a trailing dot;
     * empty if none.
     */
    public static String requestedName(SSLSession session) {
        return session instanceof ExtendedSSLSession extended ? SniKeyManager.requestedName(extended) : "";
    }

    /**
     * Whether the certificate that a client was served is for a host; true if the provider fails.
     *
     * @param requested the client's SNI; empty if none
     * @param local the address that it connected to
     * @param host lower case, without a port and a trailing dot
     */
    public boolean isCovered(String requested, InetSocketAddress local, String host) {
        return keys.isCovered(requested, local, host);
    }

    /**
     * Whether there is a certificate for a host, for clients that connected to this address; true if the provider
     * fails.
     */
    public boolean hasCertificate(String host, InetSocketAddress local) {
        return keys.hasCertificate(host, local);
    }

    /** Logs those that are new. */
    private static LoadedSources logged(LoadedSources sources, List<KeyMaterial> before) {
        Set<X509Certificate> known = before.stream().map(KeyMaterial::leaf).collect(Collectors.toSet());
        for (KeyMaterial material : sources.all()) {
            if (known.add(material.leaf())) {
                LOG.info("Serving the {}", material);
            }
        }
        return sources;
    }

    private static void checkServable(KeyMaterial material, TlsEngines engines) {
        if (!engines.canServe(material.keyType())) {
            throw new ProxyStartException("The key of the " + material + " is of a kind that " + engines.name()
                    + " can't serve: use an EC or RSA key, or jdkTls(true).");
        }
    }

    /** A context that serves one certificate to all clients, with these protocols only. */
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
