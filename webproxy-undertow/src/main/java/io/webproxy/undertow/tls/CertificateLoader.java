package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tls.SelfSigned;
import io.webproxy.undertow.tls.keys.KeyFiles;
import io.webproxy.undertow.tls.keys.SelfSignedStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the certificates of certificate sources. It remembers the self-signed certificates that aren't stored in a
 * directory, so that an update doesn't replace certificates that clients may trust.
 *
 * <p>Not thread-safe.
 */
final class CertificateLoader {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    /** How long a self-signed certificate must still be valid to be served again. */
    static final Duration LEFT = Duration.ofDays(7);

    /** Two self-signed certificates are the same if they have these in common. */
    private record Wanted(List<String> names, boolean rsa) {}

    private final Clock clock;
    private final Consumer<KeyMaterial> check;
    private final List<Consumer<ProxyObserver>> found = new ArrayList<>();
    private final List<Consumer<ProxyObserver>> untold = new ArrayList<>();
    private Map<Wanted, StandIn> made = Map.of();
    private Map<Wanted, StandIn> next = Map.of();
    private @Nullable List<String> localNames;

    /** One that takes every kind of key. */
    CertificateLoader(Clock clock) {
        this(clock, material -> {});
    }

    /**
     * One for these certificates only.
     *
     * @param check throws a {@link ProxyStartException} with one sentence, if a certificate can't be served
     */
    CertificateLoader(Clock clock, Consumer<KeyMaterial> check) {
        this.clock = clock;
        this.check = check;
    }

    /**
     * Loads all sources but providers. Call {@link #keep} when it is served.
     *
     * @param inForce what is served now; null at the start
     * @throws ProxyStartException with one sentence, if a source can't be used that isn't in force yet
     */
    LoadedSources load(List<Certificates> configured, @Nullable LoadedSources inForce) {
        found.clear();
        List<Certificates> sources = configured.isEmpty() ? List.of(standard()) : configured;
        IdentityHashMap<Certificates, HeldKeys> loaded = new IdentityHashMap<>();
        IdentityHashMap<Certificates, StandIn> standIns = new IdentityHashMap<>();
        Map<Wanted, StandIn> kept = new HashMap<>();
        for (SelfSigned source : LoadedSources.behindProviders(sources)) {
            standIns.put(source, standIn(source, kept));
        }
        for (Certificates source : LoadedSources.leaves(sources)) {
            if (standIns.containsKey(source)) {
                continue;
            }
            HeldKeys held = inForce == null ? null : inForce.equalTo(source);
            if (source instanceof SelfSigned selfSigned) {
                loaded.put(source, selfSigned(selfSigned, kept, held));
            } else if (!(source instanceof CertificateProvider)) {
                loaded.put(source, orHeld(source, held, () -> files(source, FileStamp.of(source))));
            }
        }
        loaded.forEach((source, keys) -> warnOfExpired(source, keys, loaded.values()));
        next = kept;
        return new LoadedSources(sources, loaded, standIns);
    }

    /** The certificates loaded last are being served. */
    void keep() {
        made = next;
        untold.addAll(found);
        found.clear();
    }

    /** What observers haven't been told yet about files that broke while they were served; afterwards nothing. */
    List<Consumer<ProxyObserver>> takeUntold() {
        List<Consumer<ProxyObserver>> taken = List.copyOf(untold);
        untold.clear();
        return taken;
    }

    /**
     * Reads the changed files of a source, which had these stamps just before.
     *
     * @throws ProxyStartException with one sentence; also for an expired certificate, because the one before is at
     *     least as good
     */
    HeldKeys read(Certificates source, List<FileStamp> stamps) {
        HeldKeys read = files(source, stamps);
        read.materials().forEach(check);
        refuseExpired(source, read, List.of());
        return read;
    }

    /** Files that broke while they were served must not refuse an update that isn't about them. */
    private HeldKeys orHeld(Certificates source, @Nullable HeldKeys held, Supplier<HeldKeys> reading) {
        try {
            HeldKeys read = reading.get();
            read.materials().forEach(check);
            if (held != null) {
                refuseExpired(source, read, held.materials());
            }
            return read;
        } catch (ProxyStartException e) {
            if (held == null) {
                throw e;
            }
            return FileReload.failed(held, String.valueOf(e.getMessage()), found::add);
        }
    }

    /** Refuses expired certificates, except those that are served already. */
    private void refuseExpired(Certificates source, HeldKeys read, List<KeyMaterial> served) {
        for (KeyMaterial material : read.materials()) {
            boolean known = served.stream().anyMatch(each -> each.leaf().equals(material.leaf()));
            if (!known && KeyFiles.isExpired(material, clock.instant())) {
                throw new ProxyStartException(KeyFiles.expired(source, material) + ": renew it.");
            }
        }
    }

    private HeldKeys files(Certificates source, List<FileStamp> stamps) {
        if (!(source instanceof SelfSigned selfSigned)) {
            return HeldKeys.of(KeyFiles.read(source, clock.instant()), stamps);
        }
        SelfSignedStore store = SelfSignedStore.of(selfSigned, clock);
        if (store == null) {
            throw new IllegalArgumentException(source + " has no files");
        }
        return HeldKeys.of(List.of(stored(selfSigned, store)), stamps);
    }

    private static KeyMaterial stored(SelfSigned source, SelfSignedStore store) {
        try {
            return store.obtain(source.names(), source.isRsa());
        } catch (SelfSignedStore.UnusableException e) {
            throw e.failure();
        }
    }

    /**
     * A restart mustn't make an outage worse: an expired certificate is served as long as there is no other for its
     * names.
     */
    private void warnOfExpired(Certificates source, HeldKeys keys, Collection<HeldKeys> all) {
        for (KeyMaterial material : keys.materials()) {
            if (KeyFiles.isExpired(material, clock.instant())) {
                boolean replaced = all.stream()
                        .flatMap(held -> held.materials().stream())
                        .anyMatch(other -> !KeyFiles.isExpired(other, clock.instant()) && covers(other, material));
                LOG.warn(
                        "{}: renew it; {}",
                        KeyFiles.expired(source, material),
                        replaced
                                ? "another certificate is served for its names"
                                : "it is served all the same, for there is no other");
            }
        }
    }

    private static boolean covers(KeyMaterial one, KeyMaterial other) {
        return one.names().containsAll(other.names()) && one.addresses().containsAll(other.addresses());
    }

    /** Now, by the clock that certificates are checked with. */
    Instant now() {
        return clock.instant();
    }

    private SelfSigned standard() {
        List<String> names = localNames;
        if (names == null) {
            names = Certificates.localNames();
            localNames = names;
            LOG.warn(
                    "No certificates(…) are configured: serving a self-signed certificate, which clients don't trust,"
                            + " for {}",
                    String.join(", ", names));
        }
        return Certificates.selfSigned(names.toArray(new String[0]));
    }

    private HeldKeys selfSigned(SelfSigned source, Map<Wanted, StandIn> kept, @Nullable HeldKeys held) {
        SelfSignedStore store = SelfSignedStore.of(source, clock);
        if (store != null) {
            // one that is in memory, for want of a directory, is among those made
            HeldKeys fromFiles = held == null || held.stamps().isEmpty() ? null : held;
            try {
                return orHeld(source, fromFiles, () -> {
                    KeyMaterial stored = stored(source, store);
                    return HeldKeys.of(List.of(stored), FileStamp.of(source));
                });
            } catch (ProxyStartException e) {
                if (!source.isOrInMemory() || !(e.getCause() instanceof SelfSignedStore.UnusableException)) {
                    throw e;
                }
                if (!made.containsKey(new Wanted(source.names(), source.isRsa()))) {
                    LOG.warn("The self-signed certificate is new at each start: {}", e.getMessage());
                }
            }
        }
        return HeldKeys.of(List.of(standIn(source, kept).material()), List.of());
    }

    /** Whether the server has to renew its own certificate, unless another process has already done so. */
    boolean isDue(Certificates source, HeldKeys held) {
        return source instanceof SelfSigned
                && held.materials().stream().anyMatch(material -> SelfSignedStore.isDue(material, clock.instant()));
    }

    private StandIn standIn(SelfSigned source, Map<Wanted, StandIn> kept) {
        Wanted wanted = new Wanted(source.names(), source.isRsa());
        StandIn same = kept.getOrDefault(wanted, made.get(wanted));
        if (same == null
                || same.made()
                        .filter(material -> expiresSoon(material, clock.instant()))
                        .isPresent()) {
            same = new StandIn(source.names(), source.isRsa(), clock);
        }
        kept.put(wanted, same);
        return same;
    }

    static boolean expiresSoon(KeyMaterial entry, Instant now) {
        return entry.notAfter().isBefore(now.plus(LEFT));
    }
}
