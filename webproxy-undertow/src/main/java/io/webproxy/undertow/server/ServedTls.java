package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.Listen;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.undertow.tls.ServerTls;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * TLS termination of a server, from the first configuration on that has it; a later configuration without TLS keeps it
 * for existing connections. It also watches certificate files. Thread-safe; one change at a time.
 */
final class ServedTls implements Part, Supplier<@Nullable ServerTls>, AutoCloseable {
    private final Consumer<Consumer<ProxyObserver>> events;
    private final FilePoll files = new FilePoll(this::reload);
    private volatile @Nullable ServerTls serving;
    private volatile @Nullable ServerTls prepared;
    private Runnable standIns = () -> {};

    /** None yet; {@code events} passes what happens to files to the observers. */
    ServedTls(Consumer<Consumer<ProxyObserver>> events) {
        this.events = events;
    }

    /** What is in force; null as long as TLS has never been terminated. */
    @Override
    public @Nullable ServerTls get() {
        return serving;
    }

    /** The same, or what is prepared. */
    @Nullable ServerTls prepared() {
        return prepared;
    }

    @Override
    public Change prepare(ProxyConfig next) {
        ServerTls before = serving;
        standIns = () -> {};
        if (!isNeeded(next)) {
            return new Prepared(before, before, () -> {}, Duration.ZERO);
        }
        Set<ClientCertificates> ofEndpoints = next.listens().stream()
                .map(listen -> listen.settings().clientCertificates())
                .flatMap(Optional::stream)
                .collect(Collectors.toUnmodifiableSet());
        if (before == null) {
            ServerTls created =
                    ServerTls.create(next.certificates(), next.clientCertificates(), ofEndpoints, next.tlsProvider());
            standIns = created::makeStandIns;
            prepared = created;
            return new Prepared(null, created, () -> {}, next.certificateReload());
        }
        ServerTls.Prepared certificates = before.prepare(next.certificates(), next.clientCertificates(), ofEndpoints);
        standIns = certificates::makeStandIns;
        return new Prepared(before, before, certificates::putInForce, next.certificateReload());
    }

    private static boolean isNeeded(ProxyConfig config) {
        return config.listens().stream().anyMatch(Listen::isTls)
                || config.tunnels().stream().anyMatch(Tunnel::hasHttps);
    }

    /**
     * Makes certificates that no client should have to wait for; prepared after the certificate providers have started.
     */
    Part standIns() {
        return next -> {
            Runnable now = standIns;
            standIns = () -> {};
            now.run();
            return Change.NONE;
        };
    }

    private final class Prepared implements Change {
        private final @Nullable ServerTls before;
        private final @Nullable ServerTls after;
        private final Runnable certificates;
        private final Duration reload;

        Prepared(@Nullable ServerTls before, @Nullable ServerTls after, Runnable certificates, Duration reload) {
            this.before = before;
            this.after = after;
            this.certificates = certificates;
            this.reload = reload;
        }

        @Override
        public void commit() {
            certificates.run();
            serving = after;
        }

        @Override
        public void rollBack() {
            prepared = before;
            standIns = () -> {};
        }

        @Override
        public void finish() {
            files.every(after != null && after.hasFiles() ? reload : Duration.ZERO);
            if (after != null) {
                // where files are never looked at, observers hear of it all the same
                after.tellFailures(events);
            }
        }
    }

    private void reload() {
        ServerTls now = serving;
        if (now != null) {
            now.reload(events);
        }
    }

    /** Stops watching files. */
    @Override
    public void close() {
        files.close();
    }
}
