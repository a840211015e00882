package io.webproxy.acme.store;

import io.webproxy.acme.CertificateStore;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The part of a store that belongs to one CA, so that certificates of another CA, such as a staging environment, are
 * neither served nor replaced. Its keys are readable:
 * {@code acme-v02.api.letsencrypt.org-directory/certificates/example.com/EC}. Thread-safe as the store is.
 */
public final class CaStore implements CertificateStore {
    private final CertificateStore store;
    private final String prefix;

    public CaStore(CertificateStore store, URI directory) {
        this.store = store;
        this.prefix = (directory.getRawAuthority() + directory.getRawPath()).replaceAll("[^A-Za-z0-9._:-]+", "-") + "/";
    }

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        return store.get(prefix + key);
    }

    @Override
    public void put(String key, byte[] value) throws IOException {
        store.put(prefix + key, value);
    }

    @Override
    public List<String> list(String keys) throws IOException {
        return store.list(prefix + keys).stream()
                .map(key -> key.substring(prefix.length()))
                .toList();
    }

    @Override
    public void delete(String key) throws IOException {
        store.delete(prefix + key);
    }

    @Override
    public Optional<Lock> lock(String name, Duration lease) throws IOException {
        return store.lock(prefix + name, lease);
    }

    @Override
    public String toString() {
        return store.toString();
    }
}
