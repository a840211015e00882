package io.webproxy.undertow.tls;

import io.webproxy.spi.FirstOfSource;
import io.webproxy.spi.NamedSource;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tls.SelfSigned;
import java.time.Instant;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Certificate sources, and the certificates of those that aren't providers. Immutable.
 *
 * @param sources as configured, or the default if there are none
 * @param held by the identity of the source
 * @param standIns for the self-signed ones that are only made when needed, by identity of the source
 */
record LoadedSources(
        List<Certificates> sources,
        IdentityHashMap<Certificates, HeldKeys> held,
        IdentityHashMap<Certificates, StandIn> standIns) {
    /** The providers and the sources with own certificates among them, each once, in order. */
    static List<Certificates> leaves(List<Certificates> sources) {
        List<Certificates> leaves = new ArrayList<>();
        sources.forEach(source -> addLeaves(source, leaves));
        return leaves;
    }

    private static void addLeaves(Certificates source, List<Certificates> leaves) {
        if (source instanceof FirstOfSource firstOf) {
            firstOf.sources().forEach(each -> addLeaves(each, leaves));
        } else if (source instanceof NamedSource forNames) {
            addLeaves(forNames.source(), leaves);
        } else if (leaves.stream().noneMatch(other -> other == source)) {
            leaves.add(source);
        }
    }

    /**
     * The self-signed sources that are only used after a provider, are quickly made, and aren't stored: making an RSA
     * key would block an IO thread for too long, and an unwritable directory must be reported at the start.
     */
    static List<SelfSigned> behindProviders(List<Certificates> sources) {
        List<SelfSigned> found = new ArrayList<>();
        sources.forEach(source -> addBehindProviders(source, found));
        found.removeIf(each ->
                each.isRsa() || each.directory().isPresent() || sources.stream().anyMatch(top -> top == each));
        return found;
    }

    private static void addBehindProviders(Certificates source, List<SelfSigned> found) {
        if (source instanceof FirstOfSource firstOf) {
            boolean behind = false;
            for (Certificates each : firstOf.sources()) {
                if (behind && each instanceof SelfSigned selfSigned) {
                    found.add(selfSigned);
                }
                addBehindProviders(each, found);
                behind |= leaves(List.of(each)).stream().anyMatch(CertificateProvider.class::isInstance);
            }
        } else if (source instanceof NamedSource forNames) {
            addBehindProviders(forNames.source(), found);
        }
    }

    /** The certificates of a source. */
    HeldKeys of(Certificates source) {
        return Objects.requireNonNull(held.get(source), "source");
    }

    /** The certificates of a source that isn't a provider; empty for a self-signed one that hasn't been made. */
    List<KeyMaterial> servedBy(Certificates source) {
        StandIn standIn = standIns.get(source);
        return standIn == null
                ? of(source).materials()
                : standIn.made().stream().toList();
    }

    /** Why the files of a source can't be reloaded; empty if they can, or there are none. */
    Optional<String> lastFailure(Certificates source) {
        HeldKeys keys = held.get(source);
        return keys == null ? Optional.empty() : keys.lastFailure();
    }

    /** The certificates of a source that equals this one; null if there is none, or it is a provider. */
    @Nullable HeldKeys equalTo(Certificates source) {
        return held.entrySet().stream()
                .filter(each -> areEqual(each.getKey(), source))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(null);
    }

    private static boolean areEqual(Certificates one, Certificates other) {
        if (one instanceof SelfSigned made && other instanceof SelfSigned wanted) {
            return made.names().equals(wanted.names())
                    && made.isRsa() == wanted.isRsa()
                    && made.directory().equals(wanted.directory())
                    && made.fileName().equals(wanted.fileName());
        }
        return one.equals(other);
    }

    /** All certificates, in order. */
    List<KeyMaterial> all() {
        return leaves(sources).stream()
                .filter(held::containsKey)
                .flatMap(leaf -> of(leaf).materials().stream())
                .toList();
    }

    /** Whether there are files to watch. */
    boolean hasFiles() {
        return held.values().stream().anyMatch(keys -> !keys.stamps().isEmpty());
    }

    /** A copy after a check of the files; the same instance if they haven't changed. */
    LoadedSources reloaded(FileReload reload) {
        IdentityHashMap<Certificates, HeldKeys> changed = new IdentityHashMap<>(held);
        boolean same = true;
        for (Certificates leaf : leaves(sources)) {
            HeldKeys before = held.get(leaf);
            if (before != null && !before.stamps().isEmpty()) {
                HeldKeys after = reload.look(leaf, before);
                changed.put(leaf, after);
                same &= after.equals(before);
            }
        }
        return same ? this : new LoadedSources(sources, changed, standIns);
    }

    /** The chooser for all sources; adjacent ones that aren't providers form one pool. */
    KeyChooser chooser(Instant now, Function<CertificateProvider, KeyChooser> asked) {
        List<KeyChooser> choosers = new ArrayList<>();
        List<KeyMaterial> pool = new ArrayList<>();
        int place = 0;
        for (Certificates source : sources) {
            if (held.containsKey(source)) {
                place = pool.isEmpty() ? choosers.size() : place;
                pool.addAll(of(source).materials());
            } else {
                choosers.add(chooser(source, now, asked));
            }
        }
        if (!pool.isEmpty()) {
            choosers.add(place, new ServedKeys(pool, now));
        }
        return inOrder(choosers);
    }

    private KeyChooser chooser(Certificates source, Instant now, Function<CertificateProvider, KeyChooser> asked) {
        if (source instanceof CertificateProvider provider) {
            return asked.apply(provider);
        }
        if (source instanceof FirstOfSource firstOf) {
            return inOrder(firstOf.sources().stream()
                    .map(each -> chooser(each, now, asked))
                    .toList());
        }
        if (source instanceof NamedSource forNames) {
            return new OnlyNames(forNames.names(), chooser(forNames.source(), now, asked));
        }
        StandIn standIn = standIns.get(source);
        return standIn == null ? new ServedKeys(of(source).materials(), now) : standIn;
    }

    private static KeyChooser inOrder(List<KeyChooser> choosers) {
        return choosers.size() == 1 ? choosers.get(0) : new InOrder(List.copyOf(choosers));
    }
}
