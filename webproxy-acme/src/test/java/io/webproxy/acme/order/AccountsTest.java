package io.webproxy.acme.order;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.acme.certificate.Keys;
import io.webproxy.acme.testing.MemoryStore;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class AccountsTest {
    private final MemoryStore store = new MemoryStore();
    private final Accounts accounts = new Accounts(store);

    @Test
    void keyIsMadeOnceAndKept() throws Exception {
        KeyPair made = accounts.key();
        assertThat(accounts.key().getPrivate()).isEqualTo(made.getPrivate());
        assertThat(store.values).containsOnlyKeys("account/key");
    }

    @ParameterizedTest
    @ValueSource(strings = {"empty", "half", "not PEM", "no base64", "of two pairs"})
    @ExpectedLog(
            logger = "io.webproxy.acme",
            contains =
                    "The account key /store/account/key is damaged: it is set aside as account/key.damaged, and a new"
                            + " account is made")
    void damagedKeyIsSetAsideAndAnotherMade(String damage) throws Exception {
        accounts.key();
        String whole = new String(store.values.get("account/key"), StandardCharsets.UTF_8);
        String other = Keys.toPem(Keys.create("EC"));
        String damaged = switch (damage) {
            case "empty" -> "";
            case "half" -> whole.substring(0, whole.length() / 2);
            case "not PEM" -> "\0\1\2";
            case "no base64" -> whole.replaceFirst("\n", "\nA");
            default ->
                whole.substring(0, whole.indexOf("-----BEGIN PUBLIC"))
                        + other.substring(other.indexOf("-----BEGIN PUBLIC"));
        };
        store.values.put("account/key", damaged.getBytes(StandardCharsets.UTF_8));

        KeyPair made = accounts.key();

        assertThat(Keys.belongTogether(made)).isTrue();
        assertThat(accounts.key().getPrivate()).isEqualTo(made.getPrivate());
        assertThat(store.values.get("account/key.damaged")).asString().isEqualTo(damaged);
        assertThat(store.locked).isEmpty();
    }
}
