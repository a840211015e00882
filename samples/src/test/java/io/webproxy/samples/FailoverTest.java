package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class FailoverTest {
    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void standInAnswersWhenTheFirstServiceHasEndedAndNoRequestFails() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        try (RunningSample sample = RunningSample.start(out -> Failover.run(0, end, out))) {
            assertThat(sample.get("/v1/models")).contains("\"first\"");
            end.countDown();
            await().until(() -> sample.get("/v1/models").contains("\"second\""));
            await().until(() -> sample.printed().contains("the first service has stopped"));
            assertThat(sample.get("/v1/models")).contains("\"second\"");
        }
    }
}
