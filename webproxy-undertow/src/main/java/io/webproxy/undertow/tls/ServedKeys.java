package io.webproxy.undertow.tls;

import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.keys.HostNames;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A pool of certificates, indexed by the names that they are for. Immutable. */
final class ServedKeys implements KeyChooser {
    private final Map<String, List<KeyMaterial>> byName = new HashMap<>();
    private final Map<InetAddress, List<KeyMaterial>> byAddress = new HashMap<>();
    private final List<KeyMaterial> standard = new ArrayList<>();

    /**
     * The first certificate, with others for the same names, is the default for clients without SNI. Of several for one
     * name the expired ones come last.
     */
    ServedKeys(List<KeyMaterial> entries, Instant now) {
        List<KeyMaterial> ordered = entries.stream()
                .sorted(Comparator.comparing(entry -> now.isAfter(entry.notAfter())))
                .toList();
        for (KeyMaterial entry : ordered) {
            entry.names().forEach(name -> listOf(byName, name).add(entry));
            entry.addresses().forEach(address -> listOf(byAddress, address).add(entry));
            KeyMaterial first = entries.get(0);
            if (entry.names().equals(first.names()) && entry.addresses().equals(first.addresses())) {
                standard.add(entry);
            }
        }
    }

    private static <K> List<KeyMaterial> listOf(Map<K, List<KeyMaterial>> map, K key) {
        return map.computeIfAbsent(key, absent -> new ArrayList<>());
    }

    @Override
    public List<KeyMaterial> choose(ClientHello hello) {
        String name = hello.serverName().orElse(null);
        if (name == null) {
            List<KeyMaterial> found = byAddress.get(hello.localAddress().getAddress());
            return found == null ? standard : found;
        }
        List<KeyMaterial> found = byName.get(name);
        if (found == null) {
            found = byName.get(HostNames.wildcardOf(name));
        }
        if (found == null) {
            // RFC 6066 section 3 allows no addresses, but clients send them
            InetAddress address = endsInDigit(name) ? IpLiteral.parse(name) : null;
            found = address == null ? null : byAddress.get(address);
        }
        return found == null ? List.of() : found;
    }

    private static boolean endsInDigit(String name) {
        char last = name.isEmpty() ? ' ' : name.charAt(name.length() - 1);
        return last >= '0' && last <= '9';
    }
}
