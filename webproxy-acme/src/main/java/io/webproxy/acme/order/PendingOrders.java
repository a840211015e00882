package io.webproxy.acme.order;

import io.webproxy.acme.CertificateStore;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.Keys;
import io.webproxy.acme.certificate.Wanted;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Stores unfinished orders with their keys, so that a restarted process can resume them. */
final class PendingOrders {
    /**
     * An unfinished order.
     *
     * @param location its URL at the CA
     * @param key the certificate's key
     */
    record Pending(URL location, KeyPair key) {}

    private final CaSettings settings;
    private final CertificateStore store;

    PendingOrders(CaSettings settings, CertificateStore store) {
        this.settings = settings;
        this.store = store;
    }

    /** The order for these names at this CA; an unreadable one counts as none. */
    Optional<Pending> find(Wanted wanted) throws IOException {
        Optional<byte[]> kept = store.get(key(wanted));
        if (kept.isEmpty()) {
            return Optional.empty();
        }
        String text = new String(kept.get(), StandardCharsets.UTF_8);
        String[] lines = text.split("\n", 4);
        if (lines.length < 4
                || !lines[0].equals("CA: " + settings.directory())
                || !lines[1].startsWith("Names: ")
                || !Set.copyOf(List.of(lines[1].substring(7).split(" "))).equals(Set.copyOf(wanted.names()))
                || !lines[2].startsWith("Order: ")) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Pending(URI.create(lines[2].substring(7)).toURL(), Keys.fromPem(lines[3])));
        } catch (MalformedURLException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    void keep(Wanted wanted, Pending order) throws IOException {
        String text = "CA: " + settings.directory() + "\nNames: " + String.join(" ", wanted.names()) + "\nOrder: "
                + order.location() + "\n" + Keys.toPem(order.key());
        store.put(key(wanted), text.getBytes(StandardCharsets.UTF_8));
    }

    void forget(Wanted wanted) throws IOException {
        store.delete(key(wanted));
    }

    private static String key(Wanted wanted) {
        return "orders/" + wanted.id();
    }
}
