package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.webproxy.ProxyStartException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UndertowVersionTest {
    @ParameterizedTest
    @ValueSource(strings = {"2.4.3.Final", "2.4.0.Final", "2.3.18.Final", "2.3.99.SP1", "1.9.9.Final", "0.0.0"})
    void olderUndertowWithKnownDefectsIsRefusedWithTheFix(String version) {
        assertThatExceptionOfType(ProxyStartException.class)
                .isThrownBy(() -> UndertowVersion.check(version))
                .withMessage("Undertow " + version + " is on the class path, which has known security defects: set the"
                        + " version of undertow-core to 2.4.4.Final or newer"
                        + " (with Spring Boot: in <dependencyManagement>, without its property undertow.version).");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"2.4.4.Final", "2.4.4", "2.4.10.Final", "2.5.0.Beta1", "2.10.0.Final", "3.0.0.Final", "10.0.0"})
    void leastVersionAndNewerOnesAreTaken(String version) {
        assertThatCode(() -> UndertowVersion.check(version)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Unknown", "2", "2.4", "x.y.z", "SNAPSHOT"})
    void versionThatCannotBeReadIsGivenTheBenefitOfTheDoubt(String version) {
        assertThatCode(() -> UndertowVersion.check(version)).doesNotThrowAnyException();
    }

    @Test
    void undertowOfThisBuildIsTaken() {
        assertThatCode(UndertowVersion::check).doesNotThrowAnyException();
    }
}
