package io.webproxy.undertow.tls;

import io.webproxy.http.IpLiteral;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The certificates of one moment, indexed by what they are for. Immutable. */
final class ServedKeys {
    private record Aliased(String alias, KeyEntry entry) {}

    private final int generation;
    private final Map<String, KeyEntry> byAlias = new LinkedHashMap<>();
    private final Map<String, List<Aliased>> byName = new HashMap<>();
    private final Map<InetAddress, List<Aliased>> byAddress = new HashMap<>();
    private final List<Aliased> standard = new ArrayList<>();

    ServedKeys(List<KeyEntry> entries, int generation) {
        this.generation = generation;
        for (KeyEntry entry : entries) {
            Aliased aliased = new Aliased(generation + "." + byAlias.size(), entry);
            byAlias.put(aliased.alias(), entry);
            entry.names().forEach(name -> listOf(byName, name).add(aliased));
            entry.addresses().forEach(address -> listOf(byAddress, address).add(aliased));
            if (entry.servesTheSameAs(entries.get(0))) {
                standard.add(aliased);
            }
        }
    }

    private static <K> List<Aliased> listOf(Map<K, List<Aliased>> map, K key) {
        return map.computeIfAbsent(key, absent -> new ArrayList<>());
    }

    /** Whether there is no choice. */
    boolean isSingle() {
        return byAlias.size() == 1;
    }

    int generation() {
        return generation;
    }

    Map<String, KeyEntry> byAlias() {
        return byAlias;
    }

    String @Nullable [] aliases(String keyType) {
        String[] fitting = byAlias.entrySet().stream()
                .filter(e -> e.getValue().keyType().equals(keyType))
                .map(Map.Entry::getKey)
                .toArray(String[]::new);
        return fitting.length == 0 ? null : fitting;
    }

    /**
     * The alias to serve, or null if what fits the name has another key type: then the caller asks for the next type.
     *
     * @param name what the client asks for, canonical; null for nothing
     * @param local the address that the client reached; null if unknown
     * @param client what it can use
     */
    @Nullable String choose(@Nullable String name, @Nullable InetAddress local, String keyType, ClientAbilities client) {
        List<Aliased> candidates = candidates(name, local);
        for (Aliased candidate : candidates) {
            // Conscrypt asks for all types and serves the last it gets: that mustn't be one that the client can't use
            if (candidate.entry().keyType().equals(keyType) && (candidates.size() == 1 || client.canUse(keyType))) {
                return candidate.alias();
            }
        }
        return null;
    }

    /**
     * Whether a host has a certificate here, but not the one that the client was given.
     *
     * @param name what the client asked for at the handshake, canonical; null for nothing
     * @param local the address that the client reached; null if unknown
     * @param host what it asks for now, canonical
     */
    boolean isMisdirected(@Nullable String name, @Nullable InetAddress local, String host) {
        return candidates(name, local).stream().noneMatch(given -> given.entry().covers(host))
                && byAlias.values().stream().anyMatch(entry -> entry.covers(host));
    }

    private List<Aliased> candidates(@Nullable String name, @Nullable InetAddress local) {
        InetAddress wanted = name == null ? null : IpLiteral.parse(name);
        List<Aliased> found = null;
        if (name != null && wanted == null) {
            found = byName.get(name);
            if (found == null) {
                // a wildcard stands for one label (RFC 9525 section 6.3)
                int dot = name.indexOf('.');
                found = dot < 0 ? null : byName.get("*" + name.substring(dot));
            }
        } else {
            found = wanted == null ? null : byAddress.get(wanted);
            if (found == null && local != null) {
                found = byAddress.get(local);
            }
        }
        return found == null ? standard : found;
    }
}
