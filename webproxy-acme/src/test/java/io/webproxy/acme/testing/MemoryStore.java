package io.webproxy.acme.testing;

import io.webproxy.acme.CertificateStore;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** A store in memory that fails as it is told. */
public final class MemoryStore implements CertificateStore {
    public final Map<String, byte[]> values = new TreeMap<>();
    public final Set<String> locked = new HashSet<>();
    public boolean readable = true;
    public boolean writable = true;
    public boolean lockable = true;
    public Runnable beforeLock = () -> {};

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        if (!readable) {
            throw new IOException("/store can't be read: permission denied.");
        }
        return Optional.ofNullable(values.get(key));
    }

    @Override
    public void put(String key, byte[] value) throws IOException {
        if (!writable) {
            throw new IOException("/store/" + key + " can't be written: no space left on device; make room there.");
        }
        values.put(key, value);
    }

    @Override
    public List<String> list(String prefix) {
        return values.keySet().stream().filter(key -> key.startsWith(prefix)).toList();
    }

    @Override
    public void delete(String key) {
        values.remove(key);
    }

    @Override
    public Optional<Lock> lock(String name, Duration lease) throws IOException {
        beforeLock.run();
        if (!lockable) {
            throw new IOException("/store/.locks can't be written: read-only file system.");
        }
        if (!locked.add(name)) {
            return Optional.empty();
        }
        return Optional.of(new Lock() {
            @Override
            public boolean extend() {
                return true;
            }

            @Override
            public void close() {
                locked.remove(name);
            }
        });
    }

    @Override
    public String toString() {
        return "/store";
    }
}
