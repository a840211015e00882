package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.undertow.tls.keys.TrustFile;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Set;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Which client certificates a server requests and trusts, as read from files.
 *
 * <p>Immutable; equal if the same clients are accepted: sessions made under one may only be resumed under an equal one.
 *
 * @param isAsked whether clients are asked for a certificate
 * @param isRequired whether they must have one
 * @param trusted the trusted certificates; empty if clients aren't asked
 */
record ClientTrust(boolean isAsked, boolean isRequired, Set<X509Certificate> trusted) {
    ClientTrust {
        trusted = Set.copyOf(trusted);
    }

    /**
     * Reads the files of a configuration.
     *
     * @throws ProxyStartException with one sentence, if the file can't be used
     */
    static ClientTrust load(ClientCertificates asked) {
        return new ClientTrust(
                !asked.isOff(),
                asked.isRequired(),
                asked.trust().map(TrustFile::read).orElse(Set.of()));
    }

    /** The managers that check certificates; none if clients aren't asked. */
    TrustManager[] managers() throws GeneralSecurityException {
        if (!isAsked) {
            return new TrustManager[0];
        }
        try {
            for (TrustManager manager : TrustFile.managers(trusted)) {
                if (manager instanceof X509ExtendedTrustManager jdk) {
                    return new TrustManager[] {new TrustedClients(jdk)};
                }
            }
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
        throw new GeneralSecurityException("the JVM has no PKIX trust manager");
    }

    /** Makes an engine request certificates. */
    void ask(SSLParameters parameters) {
        if (isRequired) {
            parameters.setNeedClientAuth(true);
        } else {
            parameters.setWantClientAuth(isAsked);
        }
    }
}
