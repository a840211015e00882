package io.webproxy.acme.order;

import io.webproxy.acme.CertificateStore;
import io.webproxy.acme.ca.CaSettings;
import io.webproxy.acme.certificate.Keys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.shredzone.acme4j.AccountBuilder;
import org.shredzone.acme4j.Login;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.exception.AcmeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The account at a CA; its key is made once and stored. */
final class Accounts {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration ASK_AGAIN = Duration.ofMillis(100);

    private static final String KEY = "account/key";
    private static final String DAMAGED = "account/key.damaged";
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");

    private final CertificateStore store;
    private final AtomicReference<String> told = new AtomicReference<>("");

    Accounts(CertificateStore store) {
        this.store = store;
    }

    /** Finds the account of the key, or registers it: a CA that has it answers with it (RFC 8555 section 7.3.1). */
    Login login(Session session, CaSettings settings) throws AcmeException, IOException, InterruptedException {
        AccountBuilder builder = new AccountBuilder().useKeyPair(key()).agreeToTermsOfService();
        settings.contacts().forEach(builder::addEmail);
        settings.externalAccount().ifPresent(bound -> builder.withKeyIdentifier(bound.keyId(), bound.macKey()));
        Login login = builder.createLogin(session);
        String account = login.getAccountLocation().toString();
        if (!account.equals(told.getAndSet(account))) {
            LOG.info("The account at the CA is {}: a CAA record can allow it alone, by accounturi (RFC 8657)", account);
        }
        return login;
    }

    /** The account's key. Servers that share the store share it, even if they start at the same moment. */
    KeyPair key() throws IOException, InterruptedException {
        String name = KEY;
        while (true) {
            Optional<byte[]> kept = store.get(name);
            Optional<KeyPair> key = kept.flatMap(Accounts::usable);
            if (key.isPresent()) {
                return key.get();
            }
            Optional<CertificateStore.Lock> lock = store.lock(name, LEASE);
            if (lock.isEmpty()) {
                TimeUnit.MILLISECONDS.sleep(ASK_AGAIN.toMillis());
                continue;
            }
            try (CertificateStore.Lock held = lock.get()) {
                makeUnlessThere(name);
            }
        }
    }

    private void makeUnlessThere(String name) throws IOException {
        Optional<byte[]> kept = store.get(name);
        if (kept.flatMap(Accounts::usable).isPresent()) {
            return;
        }
        if (kept.isPresent()) {
            store.put(DAMAGED, kept.get());
        }
        store.put(name, Keys.toPem(Keys.create("EC")).getBytes(StandardCharsets.UTF_8));
        if (kept.isPresent()) {
            LOG.warn(
                    "The account key {}/{} is damaged: it is set aside as {}, and a new account is made; put the key"
                            + " back from a backup to use the old one",
                    store,
                    name,
                    DAMAGED);
        }
    }

    /** The stored key, if it is intact. */
    private static Optional<KeyPair> usable(byte[] kept) {
        try {
            KeyPair key = Keys.fromPem(new String(kept, StandardCharsets.UTF_8));
            return Keys.belongTogether(key) ? Optional.of(key) : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            LOG.debug("An account key that can't be used", e);
            return Optional.empty();
        }
    }
}
