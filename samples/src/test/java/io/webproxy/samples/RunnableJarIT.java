package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The jar that has been packaged; run after that. */
@Timeout(120)
class RunnableJarIT {
    private static final Path JAR = Path.of("target/webproxy.jar");

    @BeforeEach
    void findJar() {
        assumeTrue(Files.exists(JAR), JAR + " hasn't been built");
    }

    @Test
    void versionIsThatOfTheBuild() throws Exception {
        try (MainProcess main = MainProcess.startJar(JAR, "--version")) {
            assertThat(main.line()).matches("webproxy [0-9]+\\.[0-9]+\\.[0-9]+.*");
            assertThat(main.exitStatus()).isZero();
        }
    }

    @Test
    void billOfMaterialsNamesWhatTheJarIsMadeOf() throws Exception {
        Path file = Path.of("target/bom.json");
        boolean required = "1".equals(System.getenv("WEBPROXY_REQUIRE_PEERS"));
        assumeTrue(required || Files.exists(file), "Maven was offline: then it isn't made");
        String bom = Files.readString(file);
        assertThat(bom).contains("\"bomFormat\" : \"CycloneDX\"").contains("\"SHA-256\"");
        for (String part : new String[] {"undertow-core@", "conscrypt-openjdk-uber@", "xnio-nio@", "bcpkix-jdk18on@"}) {
            assertThat(bom).contains("pkg:maven/").contains(part);
        }
        assertThat(bom).doesNotContain("junit", "okhttp");
    }

    @Test
    void demoServesUntilASignalEndsIt() throws Exception {
        try (MainProcess main = MainProcess.startJar(JAR, "demo", "--external-port", "0", "--bind", "127.0.0.1")) {
            assertThat(main.line()).matches("ready https://localhost:[0-9]+/");
            assertThat(main.stderr()).contains("WARN", "self-signed").doesNotContain("ERROR", "Exception");
            main.terminate();
            assertThat(main.exitStatus()).isZero();
            assertThat(main.line()).isEmpty();
        }
    }
}
