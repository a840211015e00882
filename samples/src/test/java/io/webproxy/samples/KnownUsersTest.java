package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import okhttp3.Credentials;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class KnownUsersTest {
    private static Request request(RunningSample sample, String path) {
        return new Request.Builder()
                .url(sample.root().resolve(path))
                .header("Authorization", Credentials.basic("ann", "secret"))
                .header("X-Forwarded-User", "root")
                .build();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void serviceIsToldTheUserAndItsResponsesAreLookedAt() throws Exception {
        try (RunningSample sample = RunningSample.start(out -> KnownUsers.run(0, out))) {
            try (Response response =
                    sample.client().newCall(request(sample, "/api/hello")).execute()) {
                assertThat(response.body().string())
                        .containsIgnoringCase("\"X-Forwarded-User\":\"ann\"")
                        .doesNotContain("root");
                assertThat(response.header("X-Answer-Of")).isNotNull();
            }
            try (Response response =
                    sample.client().newCall(request(sample, "/nowhere")).execute()) {
                assertThat(response.code()).isEqualTo(404);
                assertThat(response.body().string()).isEqualTo("There is nothing here for ann.\n");
                assertThat(response.header("X-Answer-Of")).isNull();
            }
        }
    }
}
