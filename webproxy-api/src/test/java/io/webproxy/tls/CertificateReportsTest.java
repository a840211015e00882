package io.webproxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.CertificateEvent.Problem;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a provider of one's own says of its certificates. */
class CertificateReportsTest {
    private static final List<String> NAMES = List.of("example.com", "192.0.2.1");
    private static final Instant END = Instant.ofEpochSecond(1_800_000_000);

    @Test
    void statusSaysOnlyWhatItWasTold() {
        CertificateStatus wanted = CertificateStatus.of(NAMES);
        CertificateStatus served = wanted.withIssuer("CN=ca")
                .withNotAfter(END)
                .withNextAttempt(END.minusSeconds(1))
                .withLastError("No.");

        assertThat(wanted)
                .hasToString("CertificateStatus[names=[example.com, 192.0.2.1], issuer=Optional.empty, "
                        + "notAfter=Optional.empty, nextAttempt=Optional.empty, lastError=Optional.empty]");
        assertThat(served.names()).isEqualTo(NAMES);
        assertThat(served.issuer()).contains("CN=ca");
        assertThat(served.notAfter()).contains(END);
        assertThat(served.nextAttempt()).contains(END.minusSeconds(1));
        assertThat(served.lastError()).contains("No.");
    }

    @Test
    void statusIsEqualByItsValues() {
        CertificateStatus status = CertificateStatus.of(NAMES).withIssuer("CN=ca");

        assertThat(status)
                .isEqualTo(CertificateStatus.of(NAMES).withIssuer("CN=ca"))
                .hasSameHashCodeAs(CertificateStatus.of(NAMES).withIssuer("CN=ca"))
                .isNotEqualTo(CertificateStatus.of(NAMES))
                .isNotEqualTo(status.withNotAfter(END))
                .isNotEqualTo(status.withNextAttempt(END))
                .isNotEqualTo(status.withLastError("No."));
    }

    @Test
    void eventSaysOnlyWhatItWasTold() {
        CertificateEvent event = CertificateEvent.of(NAMES, "No.");
        List<Problem> problems = List.of(Problem.of("example.com", "urn:ietf:params:acme:error:dns", "no A record"));

        assertThat(event.notAfter()).isEmpty();
        assertThat(event.problems()).isEmpty();
        assertThat(event.withNotAfter(END).withProblems(problems))
                .hasToString("CertificateEvent[names=[example.com, 192.0.2.1], notAfter=Optional["
                        + END + "], detail=No., problems=[Problem[name=example.com, "
                        + "type=urn:ietf:params:acme:error:dns, detail=no A record]]]");
        assertThat(event)
                .isEqualTo(CertificateEvent.of(NAMES, "No."))
                .hasSameHashCodeAs(CertificateEvent.of(NAMES, "No."))
                .isNotEqualTo(event.withNotAfter(END))
                .isNotEqualTo(event.withProblems(problems));
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        CertificateStatus status = CertificateStatus.of(NAMES);
        assertThatNullPointerException()
                .isThrownBy(() -> CertificateStatus.of(null))
                .withMessage("names");
        assertThatNullPointerException()
                .isThrownBy(() -> status.withIssuer(null))
                .withMessage("issuer");
        assertThatNullPointerException()
                .isThrownBy(() -> status.withLastError(null))
                .withMessage("lastError");
        assertThatNullPointerException()
                .isThrownBy(() -> CertificateEvent.of(NAMES, null))
                .withMessage("detail");
    }
}
