package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.KeyMaterial;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reloads the files of a source when they have changed. Unusable files, such as half a file or a key that doesn't
 * match, are never served: the previous certificates stay, and each further check tries again.
 */
final class FileReload {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    private final BiFunction<Certificates, List<FileStamp>, HeldKeys> reading;
    private final Consumer<Consumer<ProxyObserver>> events;
    private final BiPredicate<Certificates, HeldKeys> due;

    /**
     * For the files of all sources.
     *
     * @param reading reads a source whose files have these stamps; throws a {@link ProxyStartException} with one
     *     sentence
     * @param events is told about changes, and about the first of repeated failures
     */
    FileReload(BiFunction<Certificates, List<FileStamp>, HeldKeys> reading, Consumer<Consumer<ProxyObserver>> events) {
        this(reading, events, (source, held) -> false);
    }

    /**
     * For the files of all sources.
     *
     * @param due whether to read a source although its files haven't changed: it then makes new ones
     */
    FileReload(
            BiFunction<Certificates, List<FileStamp>, HeldKeys> reading,
            Consumer<Consumer<ProxyObserver>> events,
            BiPredicate<Certificates, HeldKeys> due) {
        this.reading = reading;
        this.events = events;
        this.due = due;
    }

    /** What to serve for a source from now on: the same instance if its files haven't changed. */
    HeldKeys look(Certificates source, HeldKeys held) {
        List<FileStamp> stamps = FileStamp.of(source);
        if (stamps.equals(held.stamps()) && held.failures().isEmpty() && !due.test(source, held)) {
            return held;
        }
        try {
            HeldKeys read = reading.apply(source, stamps);
            // a writer may still be at work: the next check sees the rest
            return stamps.equals(FileStamp.of(source)) ? read(source, held, read) : held;
        } catch (ProxyStartException e) {
            return stamps.equals(FileStamp.of(source)) ? failed(held, String.valueOf(e.getMessage()), events) : held;
        }
    }

    private HeldKeys read(Certificates source, HeldKeys held, HeldKeys read) {
        if (held.serveTheSameAs(read.materials())) {
            held.lastFailure().ifPresent(before -> LOG.info("{} is valid again, and still served", source));
            return HeldKeys.of(held.materials(), read.stamps());
        }
        for (KeyMaterial material : read.materials()) {
            LOG.info("{} has changed: serving the {}", source, material);
        }
        CertificateEvent event = event(read, source + " has changed and is served.");
        events.accept(observer -> observer.certificateReloaded(event));
        return read;
    }

    /**
     * What is still served although its files can't be used.
     *
     * @param events is told, unless it is a repeated failure
     */
    static HeldKeys failed(HeldKeys held, String why, Consumer<Consumer<ProxyObserver>> events) {
        if (!held.failures().contains(why)) {
            LOG.warn("A changed certificate isn't served, the previous one is still served: {}", why);
            CertificateEvent event = event(held, why);
            events.accept(observer -> observer.certificateFailed(event));
        }
        return held.failed(why);
    }

    private static CertificateEvent event(HeldKeys served, String detail) {
        CertificateEvent event = CertificateEvent.of(served.names(), detail);
        return served.notAfter().map(event::withNotAfter).orElse(event);
    }
}
