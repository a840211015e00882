package io.webproxy.acme;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.KeyMaterial;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Orders at Pebble, as a CA that is well. */
@ExtendWith(LeakCheck.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AcmeIssuerTest {
    private TestResponder responder;
    private Pebble pebble;
    private HeapStore store = new HeapStore();

    @BeforeAll
    void start() throws Exception {
        responder = new TestResponder();
        pebble = new Pebble.Setup().start(responder.realHttpPort(), responder.realHttpsPort());
    }

    @AfterAll
    void stop() throws Exception {
        if (pebble != null) {
            pebble.close();
        }
        responder.close();
    }

    private CaSettings settings() {
        return settings(pebble);
    }

    static CaSettings settings(Pebble pebble) {
        return new CaSettings(
                pebble.acmeDirectory(),
                List.of("ops@example.com"),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                List.of(),
                Optional.of(pebble.trust()),
                Duration.ofSeconds(10));
    }

    private AcmeIssuer issuer(CaSettings settings) {
        return new AcmeIssuer(settings, store, responder, Clock.systemUTC());
    }

    @Test
    void certificateIsForANewKeyEachTime() throws Exception {
        AcmeIssuer issuer = issuer(settings());
        Wanted wanted = new Wanted(List.of("one.example.com", "two.example.com"), "EC");
        KeyMaterial first = issuer.obtain(wanted, null);
        issuer.obtain(new Wanted(List.of("one.example.com"), "EC"), null);
        KeyMaterial second = issuer.obtain(new Wanted(wanted.names(), "RSA"), null);

        assertThat(first.names()).containsExactlyInAnyOrder("one.example.com", "two.example.com");
        assertThat(first.chain()).hasSizeGreaterThan(1);
        assertThat(first.keyType()).isEqualTo("EC");
        assertThat(second.keyType()).isEqualTo("RSA");
        assertThat(store.list("account/")).hasSize(1);
        assertThat(responder.files).isEmpty();
    }

    @Test
    void nonceIsRefusedNineTimesOfTen() throws Exception {
        try (Pebble picky =
                new Pebble.Setup().nonceReject(90).start(responder.realHttpPort(), responder.realHttpsPort())) {
            AcmeIssuer issuer = new AcmeIssuer(settings(picky), new HeapStore(), responder, Clock.systemUTC());
            Wanted wanted = new Wanted(List.of("one.example.com"), "EC");
            assertThat(issuer.obtain(wanted, null).names()).containsExactly("one.example.com");
        }
    }
}
