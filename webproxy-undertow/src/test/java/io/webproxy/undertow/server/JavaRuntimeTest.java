package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.webproxy.ProxyStartException;
import java.util.Set;
import org.junit.jupiter.api.Test;

class JavaRuntimeTest {
    private static final Set<String> ALL = Set.of(
            "java.logging",
            "java.management",
            "java.naming",
            "java.security.sasl",
            "jdk.management",
            "jdk.unsupported");

    @Test
    void runtimeOfThisBuildIsTaken() {
        assertThatCode(JavaRuntime::check).doesNotThrowAnyException();
    }

    @Test
    void missingModulesAreNamedTogetherWithTheFix() {
        assertThatExceptionOfType(ProxyStartException.class)
                .isThrownBy(() -> JavaRuntime.check(name -> ALL.contains(name) && !name.startsWith("jdk."), 17))
                .withMessage("The Java runtime lacks modules that the engine needs: add"
                        + " jdk.management,jdk.unsupported,jdk.crypto.ec to the image (jlink --add-modules), or start java with"
                        + " --add-modules jdk.management,jdk.unsupported,jdk.crypto.ec.");
    }

    @Test
    void curvesAreAModuleOfTheirOwnUpToJava21() {
        assertThatExceptionOfType(ProxyStartException.class)
                .isThrownBy(() -> JavaRuntime.check(ALL::contains, 21))
                .withMessageContaining("add jdk.crypto.ec to the image");
        assertThatCode(() -> JavaRuntime.check(ALL::contains, 22)).doesNotThrowAnyException();
    }

    @Test
    void libraryThatDoesntLoadIsOneSentence() {
        assertThat(JavaRuntime.refused(true, new NoClassDefFoundError("org/jboss/logging/BasicLogger")))
                .hasMessage(
                        "The libraries of the engine don't work on the module path: put webproxy-undertow and what it"
                                + " depends on on the class path; webproxy-api may stay on the module path.");
        assertThat(JavaRuntime.refused(false, new NoClassDefFoundError("org/jboss/logging/BasicLogger")))
                .hasMessage(
                        "A library of the engine is missing or doesn't fit (java.lang.NoClassDefFoundError:"
                                + " org/jboss/logging/BasicLogger): use the dependencies of webproxy-undertow, in their versions.");
    }
}
