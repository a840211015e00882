package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class ExposeServiceTest {
    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void serviceIsReachableByHttps() throws Exception {
        try (RunningSample sample = RunningSample.start(out -> ExposeService.run(0, out))) {
            assertThat(sample.printed()).matches("ready https://localhost:[0-9]+/\\R");
            assertThat(sample.get("/api/hello")).contains("\"message\":\"hello\"", "\"X-Forwarded-Proto\":\"https\"");
        }
    }
}
