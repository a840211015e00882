package io.webproxy.acme;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.shredzone.acme4j.AccountBuilder;
import org.shredzone.acme4j.Login;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.exception.AcmeException;

/** The account at a CA: its key is made once and kept in the store. */
final class Accounts {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration ASK_AGAIN = Duration.ofMillis(100);

    private static final String KEY = "account/key";

    private final CaSettings settings;
    private final CertificateStore store;

    Accounts(CaSettings settings, CertificateStore store) {
        this.settings = settings;
        this.store = store;
    }

    /** Finds the account of the key, or registers it: a CA that has it answers with it (RFC 8555 section 7.3.1). */
    Login login(Session session) throws AcmeException, IOException, InterruptedException {
        AccountBuilder builder = new AccountBuilder().useKeyPair(key()).agreeToTermsOfService();
        settings.contacts().forEach(builder::addEmail);
        settings.externalAccount().ifPresent(bound -> builder.withKeyIdentifier(bound.keyId(), bound.macKey()));
        return builder.createLogin(session);
    }

    /** The account's key. Servers that share the store share it, also those that start at the same moment. */
    private KeyPair key() throws IOException, InterruptedException {
        String name = KEY;
        while (true) {
            Optional<byte[]> kept = store.get(name);
            if (kept.isPresent()) {
                return Keys.fromPem(new String(kept.get(), StandardCharsets.UTF_8));
            }
            Optional<CertificateStore.Lock> lock = store.lock(name, LEASE);
            if (lock.isEmpty()) {
                TimeUnit.MILLISECONDS.sleep(ASK_AGAIN.toMillis());
                continue;
            }
            try (CertificateStore.Lock held = lock.get()) {
                if (store.get(name).isEmpty()) {
                    store.put(name, Keys.toPem(Keys.create("EC")).getBytes(StandardCharsets.UTF_8));
                }
            }
        }
    }
}
