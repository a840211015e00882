package io.webproxy.undertow.tls;

import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.KeyMaterial;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * Sources, and what those of them hold that aren't providers. Immutable.
 *
 * @param sources as configured, or the one that stands in for none
 * @param materials by the identity of the source
 */
record LoadedSources(List<CertificateSource> sources, IdentityHashMap<CertificateSource, List<KeyMaterial>> materials) {
    /** The providers and the sources with something of their own among them, each once, in their order. */
    static List<CertificateSource> leaves(List<CertificateSource> sources) {
        List<CertificateSource> leaves = new ArrayList<>();
        sources.forEach(source -> addLeaves(source, leaves));
        return leaves;
    }

    private static void addLeaves(CertificateSource source, List<CertificateSource> leaves) {
        if (source instanceof CertificateSource.FirstOf firstOf) {
            firstOf.sources().forEach(each -> addLeaves(each, leaves));
        } else if (source instanceof CertificateSource.ForNames forNames) {
            addLeaves(forNames.source(), leaves);
        } else if (leaves.stream().noneMatch(other -> other == source)) {
            leaves.add(source);
        }
    }

    /** What a source holds. */
    List<KeyMaterial> of(CertificateSource source) {
        return Objects.requireNonNull(materials.get(source), "source");
    }

    /** All that they hold, in their order. */
    List<KeyMaterial> all() {
        return leaves(sources).stream()
                .map(leaf -> materials.getOrDefault(leaf, List.of()))
                .flatMap(List::stream)
                .toList();
    }

    /** The same, but for what one source holds. */
    LoadedSources with(CertificateSource source, List<KeyMaterial> others) {
        IdentityHashMap<CertificateSource, List<KeyMaterial>> changed = new IdentityHashMap<>(materials);
        changed.put(source, others);
        return new LoadedSources(sources, changed);
    }

    /** Chooses among all: those that stand side by side and aren't providers are one pool. */
    KeyChooser chooser(Function<CertificateProvider, KeyChooser> asked) {
        List<KeyChooser> choosers = new ArrayList<>();
        List<KeyMaterial> pool = new ArrayList<>();
        int place = 0;
        for (CertificateSource source : sources) {
            if (materials.containsKey(source)) {
                place = pool.isEmpty() ? choosers.size() : place;
                pool.addAll(of(source));
            } else {
                choosers.add(chooser(source, asked));
            }
        }
        if (!pool.isEmpty()) {
            choosers.add(place, new ServedKeys(pool));
        }
        return inOrder(choosers);
    }

    private KeyChooser chooser(CertificateSource source, Function<CertificateProvider, KeyChooser> asked) {
        if (source instanceof CertificateProvider provider) {
            return asked.apply(provider);
        }
        if (source instanceof CertificateSource.FirstOf firstOf) {
            return inOrder(
                    firstOf.sources().stream().map(each -> chooser(each, asked)).toList());
        }
        if (source instanceof CertificateSource.ForNames forNames) {
            return new OnlyNames(forNames.names(), chooser(forNames.source(), asked));
        }
        return new ServedKeys(of(source));
    }

    private static KeyChooser inOrder(List<KeyChooser> choosers) {
        return choosers.size() == 1 ? choosers.get(0) : new InOrder(List.copyOf(choosers));
    }
}
