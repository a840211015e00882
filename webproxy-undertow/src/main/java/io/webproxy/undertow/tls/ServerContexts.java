package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.undertow.tls.engine.TlsEngines;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;

/**
 * Makes a server's TLS contexts, one for each trust in clients, and their engines.
 *
 * <p>TLS 1.3 and 1.2, the latter only with forward secrecy and AEAD (RFC 9325 section 4.2); the server's order of
 * suites counts. Thread-safe.
 *
 * <p>Conscrypt (2.9.0) enables CBC suites and suites without forward secrecy. Canary:
 * {@code ConscryptDefectsTest.weakSuitesAreEnabled}.
 */
final class ServerContexts {
    private static final List<String> SUITES = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private final TlsEngines engines;
    private final KeyManager keys;
    private final ServerContext first;
    private final String[] suites;

    /**
     * For contexts whose engines choose among the same keys.
     *
     * @param clients which clients the {@linkplain #first first} context accepts
     * @throws ProxyStartException with one sentence, if that fails
     */
    ServerContexts(TlsEngines engines, KeyManager keys, ClientTrust clients) {
        this.engines = engines;
        this.keys = keys;
        this.first = context(engines, keys, clients);
        this.suites = supported(first.context());
    }

    private static String[] supported(SSLContext context) {
        // the context's default parameters would come from a socket, whose engine keeps two descriptors until it is
        // collected
        Set<String> supported =
                Set.copyOf(Arrays.asList(context.getSocketFactory().getSupportedCipherSuites()));
        return SUITES.stream().filter(supported::contains).toArray(String[]::new);
    }

    private static ServerContext context(TlsEngines engines, KeyManager keys, ClientTrust clients) {
        try {
            return new ServerContext(engines.context(new KeyManager[] {keys}, clients.managers()), clients);
        } catch (GeneralSecurityException e) {
            throw new ProxyStartException("TLS by " + engines.name() + " can't start: " + e.getMessage() + ".", e);
        }
    }

    /** The context that was made at the start. */
    ServerContext first() {
        return first;
    }

    /**
     * A context for a trust in clients.
     *
     * @param known is returned, with its sessions, if it accepts the same clients
     */
    ServerContext of(ClientTrust clients, ServerContext known) {
        return of(clients, List.of(known));
    }

    private ServerContext of(ClientTrust clients, Collection<ServerContext> known) {
        return known.stream()
                .filter(context -> context.clients().equals(clients))
                .findFirst()
                .orElseGet(() -> context(engines, keys, clients));
    }

    /**
     * Contexts for the client certificates that endpoints ask for, one for each trust.
     *
     * @param known existing ones, kept with their sessions if they accept the same clients
     */
    Map<ClientCertificates, ServerContext> ofEndpoints(Set<ClientCertificates> asked, Collection<ServerContext> known) {
        List<ServerContext> usable = new ArrayList<>(known);
        Map<ClientCertificates, ServerContext> made = new HashMap<>();
        for (ClientCertificates each : asked) {
            ServerContext found = of(ClientTrust.load(each), usable);
            usable.add(found);
            made.put(each, found);
        }
        return Map.copyOf(made);
    }

    /** A context with keys of its own, for all clients. */
    ServerContext ofOther(KeyManager keys) throws GeneralSecurityException {
        return new ServerContext(
                engines.context(new KeyManager[] {keys}, new TrustManager[0]),
                ClientTrust.load(ClientCertificates.off()));
    }

    /** An engine for these protocols; the first one that the client offers too is chosen. */
    SSLEngine newEngine(ServerContext from, List<String> protocols) {
        SSLParameters parameters = new SSLParameters(suites, new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setUseCipherSuitesOrder(true);
        parameters.setApplicationProtocols(protocols.toArray(new String[0]));
        from.clients().ask(parameters);
        return engines.newEngine(from.context(), null, 0, false, parameters);
    }
}
