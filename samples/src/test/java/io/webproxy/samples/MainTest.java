package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class MainTest {
    @Test
    void wrongArgumentsExitWith2() throws Exception {
        try (MainProcess main = MainProcess.start("expose", "--internal-port", "8080", "--user", "alice")) {
            assertThat(main.exitStatus()).isEqualTo(2);
            assertThat(main.stderr()).startsWith("webproxy: ").hasLineCount(1);
            assertThat(main.line()).isEmpty();
        }
    }

    @Test
    void helpExitsWith0() throws Exception {
        try (MainProcess main = MainProcess.start("--help")) {
            assertThat(main.exitStatus()).isZero();
            assertThat(main.stderr()).isEmpty();
        }
    }

    @Test
    void signalEndsTheServiceWith0() throws Exception {
        try (MainProcess main = MainProcess.start("service")) {
            assertThat(main.line()).matches("ready http://127\\.0\\.0\\.1:[0-9]+/");
            main.terminate();
            assertThat(main.exitStatus()).isZero();
            assertThat(main.stderr()).isEmpty();
        }
    }

    @Test
    void signalEndsTheDemoWith0AndAllItPrintedIsTheReadyLine() throws Exception {
        try (MainProcess main = MainProcess.start("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain")) {
            assertThat(main.line()).matches("ready http://localhost:[0-9]+/");
            main.terminate();
            assertThat(main.exitStatus()).isZero();
            assertThat(main.line()).isEmpty();
            assertThat(main.stderr()).doesNotContain(" WARN ", " ERROR ", "Exception");
        }
    }
}
