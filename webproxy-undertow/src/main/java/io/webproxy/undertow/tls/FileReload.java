package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.KeyMaterial;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the files of a source again when they have changed. What can't be used, a pair that doesn't match or half a
 * file, is never served: what was served before is served on, and each further look tries again.
 */
final class FileReload {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    private final BiFunction<CertificateSource, List<FileStamp>, HeldKeys> reading;
    private final Consumer<CertificateEvent> events;
    private final BiPredicate<CertificateSource, HeldKeys> due;

    /**
     * A look at all sources.
     *
     * @param reading reads a source whose files have these stamps; throws a {@link ProxyStartException} with one
     *     sentence
     * @param events is told what has changed, and what failed when it fails for the first time
     */
    FileReload(BiFunction<CertificateSource, List<FileStamp>, HeldKeys> reading, Consumer<CertificateEvent> events) {
        this(reading, events, (source, held) -> false);
    }

    /**
     * A look at all sources.
     *
     * @param due whether a source is read although its files haven't changed: it makes new ones then
     */
    FileReload(
            BiFunction<CertificateSource, List<FileStamp>, HeldKeys> reading,
            Consumer<CertificateEvent> events,
            BiPredicate<CertificateSource, HeldKeys> due) {
        this.reading = reading;
        this.events = events;
        this.due = due;
    }

    /** What is to be served of a source from now on: the same instance, if nothing has happened to its files. */
    HeldKeys look(CertificateSource source, HeldKeys held) {
        List<FileStamp> stamps = FileStamp.of(source);
        if (stamps.equals(held.stamps()) && held.failures().isEmpty() && !due.test(source, held)) {
            return held;
        }
        try {
            HeldKeys read = reading.apply(source, stamps);
            // whoever writes it is still at it: the next look sees all
            return stamps.equals(FileStamp.of(source)) ? read(source, held, read) : held;
        } catch (ProxyStartException e) {
            return stamps.equals(FileStamp.of(source)) ? failed(held, String.valueOf(e.getMessage())) : held;
        }
    }

    private HeldKeys read(CertificateSource source, HeldKeys held, HeldKeys read) {
        if (held.serveTheSameAs(read.materials())) {
            held.lastFailure().ifPresent(before -> LOG.info("{} can be used again and is served on", source));
            return HeldKeys.of(held.materials(), read.stamps());
        }
        for (KeyMaterial material : read.materials()) {
            LOG.info("{} has changed: serving the {}", source, material);
        }
        events.accept(event(CertificateEvent.Kind.RELOADED, read, source + " has changed and is served."));
        return read;
    }

    private HeldKeys failed(HeldKeys held, String why) {
        if (!held.failures().contains(why)) {
            LOG.warn("A changed certificate isn't served, the one before is served on: {}", why);
            events.accept(event(CertificateEvent.Kind.FAILED, held, why));
        }
        return held.failed(why);
    }

    private static CertificateEvent event(CertificateEvent.Kind kind, HeldKeys served, String detail) {
        CertificateEvent event = CertificateEvent.of(kind, served.names(), detail);
        return served.notAfter().map(event::withNotAfter).orElse(event);
    }
}
