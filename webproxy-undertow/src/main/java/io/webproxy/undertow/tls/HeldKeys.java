package io.webproxy.undertow.tls;

import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.KeyMaterial;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The keys and certificates of one source, and the state of its files.
 *
 * @param materials at least one
 * @param stamps of the files that they were read from; empty if there are none
 * @param failures sentences why those files couldn't be reloaded since, each once, the latest last
 */
record HeldKeys(List<KeyMaterial> materials, List<FileStamp> stamps, List<String> failures) {
    private static final int MOST_FAILURES = 16;

    static HeldKeys of(List<KeyMaterial> materials, List<FileStamp> stamps) {
        return new HeldKeys(List.copyOf(materials), stamps, List.of());
    }

    /** Why the files can't be reloaded; empty if they can. */
    Optional<String> lastFailure() {
        return failures.isEmpty() ? Optional.empty() : Optional.of(failures.get(failures.size() - 1));
    }

    /** A copy with this failure as the latest. */
    HeldKeys failed(String why) {
        List<String> more = new ArrayList<>(failures);
        more.remove(why);
        more.add(why);
        int surplus = Math.max(0, more.size() - MOST_FAILURES);
        return new HeldKeys(materials, stamps, List.copyOf(more.subList(surplus, more.size())));
    }

    /** Whether serving others would change nothing for clients. */
    boolean serveTheSameAs(List<KeyMaterial> others) {
        return chains(materials).equals(chains(others));
    }

    private static List<List<X509Certificate>> chains(List<KeyMaterial> materials) {
        return materials.stream().map(KeyMaterial::chain).toList();
    }

    /** The names that the leaf certificates are for. */
    List<String> names() {
        return materials.stream()
                .flatMap(material -> namesOf(material).stream())
                .distinct()
                .toList();
    }

    /** Until when all leaf certificates are valid. */
    Optional<Instant> notAfter() {
        return materials.stream().map(KeyMaterial::notAfter).min(Comparator.naturalOrder());
    }

    /** The names of a leaf certificate, then its addresses, each in order. */
    static List<String> namesOf(KeyMaterial material) {
        return Stream.concat(
                        material.names().stream().sorted(),
                        material.addresses().stream().sorted(IpLiteral::compare).map(IpLiteral::text))
                .toList();
    }
}
