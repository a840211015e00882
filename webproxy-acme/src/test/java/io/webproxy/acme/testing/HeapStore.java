package io.webproxy.acme.testing;

import io.webproxy.acme.CertificateStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/** A store that forgets all when it is dropped. */
public final class HeapStore implements CertificateStore {
    private final Map<String, byte[]> values = new ConcurrentSkipListMap<>();
    private final Map<String, Object> locks = new ConcurrentSkipListMap<>();

    @Override
    public Optional<byte[]> get(String key) {
        return Optional.ofNullable(values.get(key)).map(byte[]::clone);
    }

    @Override
    public void put(String key, byte[] value) {
        values.put(key, value.clone());
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
    public Optional<Lock> lock(String name, Duration lease) {
        Object mine = new Object();
        if (locks.putIfAbsent(name, mine) != null) {
            return Optional.empty();
        }
        return Optional.of(new Lock() {
            @Override
            public boolean extend() {
                return locks.get(name) == mine;
            }

            @Override
            public void close() {
                locks.remove(name, mine);
            }
        });
    }
}
