package io.webproxy.undertow.tls;

import io.webproxy.tls.KeyMaterial;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the client certificate for an upstream that asks for one: of a key type that the upstream accepts, and
 * preferably issued by an authority that it names, which is only a hint (RFC 8446 section 4.2.4). Immutable.
 */
final class IdentityKeyManager extends X509ExtendedKeyManager {
    private final List<KeyMaterial> entries;

    IdentityKeyManager(List<KeyMaterial> entries) {
        this.entries = List.copyOf(entries);
    }

    @Override
    public @Nullable String chooseEngineClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        String fallback = null;
        for (String keyType : keyTypes) {
            for (int i = 0; i < entries.size(); i++) {
                if (entries.get(i).keyType().equals(keyType)) {
                    if (isIssued(entries.get(i), issuers)) {
                        return Integer.toString(i);
                    }
                    fallback = fallback == null ? Integer.toString(i) : fallback;
                }
            }
        }
        return fallback;
    }

    private static boolean isIssued(KeyMaterial entry, Principal @Nullable [] issuers) {
        return issuers == null
                || issuers.length == 0
                || entry.chain().stream()
                        .anyMatch(certificate -> Arrays.asList(issuers).contains(certificate.getIssuerX500Principal()));
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineClientAlias(keyTypes, issuers, null);
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        String alias = chooseEngineClientAlias(new String[] {keyType}, issuers, null);
        return alias == null ? null : new String[] {alias};
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return entries.get(Integer.parseInt(alias)).key();
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return entries.get(Integer.parseInt(alias)).chain().toArray(new X509Certificate[0]);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }
}
