package io.webproxy.acme.check;

import static io.webproxy.acme.ChallengeKind.DNS_01;
import static io.webproxy.acme.ChallengeKind.HTTP_01;
import static io.webproxy.acme.ChallengeKind.TLS_ALPN_01;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.acme.ChallengeKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CaaPolicyTest {
    private static final Set<String> US = Set.of("ca.example");
    private static final List<ChallengeKind> ANY = List.of(ChallengeKind.values());

    private static CaaRecord issue(String value) {
        return new CaaRecord(false, "issue", value);
    }

    private static Optional<String> objection(String name, Map<String, List<CaaRecord>> zone) throws IOException {
        return CaaPolicy.objection(name, US, ANY, at -> zone.getOrDefault(at, List.of()));
    }

    @Test
    void withoutRecordsEveryCaMayIssue() throws IOException {
        List<String> asked = new ArrayList<>();

        assertThat(CaaPolicy.objection("a.b.example", US, ANY, at -> {
                    asked.add(at);
                    return List.of();
                }))
                .isEmpty();
        assertThat(asked).containsExactly("a.b.example", "b.example", "example");
    }

    @Test
    void theNearestRecordsCountAndNoneAbove() throws IOException {
        assertThat(objection(
                        "www.b.example",
                        Map.of("b.example", List.of(issue("other.example")), "example", List.of(issue("ca.example")))))
                .hasValueSatisfying(why -> assertThat(why)
                        .contains("the CAA records of b.example forbid this CA")
                        .contains("other.example")
                        .contains("ca.example"));
        assertThat(objection(
                        "www.b.example",
                        Map.of("b.example", List.of(issue("CA.example ; x=y")), "example", List.of(issue(";")))))
                .isEmpty();
    }

    @Test
    void anEmptyIssuerForbidsAllEvenWhenTheCaHasNoName() throws IOException {
        assertThat(CaaPolicy.objection("b.example", Set.of(), ANY, at -> List.of(issue(";"))))
                .hasValueSatisfying(why -> assertThat(why).contains("they allow none"));
        assertThat(CaaPolicy.objection("b.example", Set.of(), ANY, at -> List.of(issue("whoever.example"))))
                .isEmpty();
    }

    @Test
    void wildcardsGoByIssuewildWhereThereIsOne() throws IOException {
        List<CaaRecord> records = List.of(issue("ca.example"), new CaaRecord(false, "issuewild", "other.example"));
        assertThat(objection("*.b.example", Map.of("b.example", records))).isPresent();
        assertThat(objection("b.example", Map.of("b.example", records))).isEmpty();
        assertThat(objection("*.b.example", Map.of("b.example", List.of(issue("other.example")))))
                .isPresent();
        assertThat(objection(
                        "b.example", Map.of("b.example", List.of(new CaaRecord(false, "issuewild", "other.example")))))
                .isEmpty();
    }

    @Test
    void otherTagsForbidNothingUnlessTheyAreCriticalAndUnknown() throws IOException {
        assertThat(objection("b.example", Map.of("b.example", List.of(new CaaRecord(true, "iodef", "mailto:a@b")))))
                .isEmpty();
        assertThat(objection("b.example", Map.of("b.example", List.of(new CaaRecord(true, "novel", "x")))))
                .hasValueSatisfying(why -> assertThat(why).contains("novel"));
        assertThat(objection("b.example", Map.of("b.example", List.of(new CaaRecord(false, "novel", "x")))))
                .isEmpty();
    }

    @Test
    void oneOfTheAllowedChallengesMustBePossible() throws IOException {
        CaaPolicy.Records records = at -> List.of(issue("ca.example; validationmethods=dns-01,http-01"));
        assertThat(CaaPolicy.objection("b.example", US, List.of(TLS_ALPN_01), records))
                .hasValueSatisfying(why -> assertThat(why).contains("none of the challenges"));
        assertThat(CaaPolicy.objection("b.example", US, List.of(TLS_ALPN_01, HTTP_01), records))
                .isEmpty();
        assertThat(CaaPolicy.objection("b.example", US, List.of(DNS_01), records))
                .isEmpty();
    }

    @Test
    void aFailedLookUpIsNoYes() {
        assertThatThrownBy(() -> CaaPolicy.objection("b.example", US, ANY, at -> {
                    throw new IOException("SERVFAIL");
                }))
                .hasMessage("SERVFAIL");
    }

    @Test
    void recordsOfAnyBytesAreRead() {
        byte[] record = new byte[] {(byte) 0x80, 5, 'i', 's', 'S', 'u', 'e', 'c', 'a'};
        assertThat(CaaRecord.parse(record)).isEqualTo(new CaaRecord(true, "issue", "ca"));
        for (int length = 0; length < record.length; length++) {
            assertThat(CaaRecord.parse(Arrays.copyOf(record, length)).value().length())
                    .isLessThan(2);
        }
        for (int at = 0; at < record.length; at++) {
            for (int value = 0; value < 256; value++) {
                byte[] other = record.clone();
                other[at] = (byte) value;
                assertThat(CaaRecord.parse(other)).isNotNull();
            }
        }
    }
}
