package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class PathRoutingTest {
    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void samePathBelowAPrefixIsAskedOfAnotherService() throws Exception {
        try (RunningSample sample = RunningSample.start(out -> PathRouting.run(0, out))) {
            assertThat(sample.get("/v1/models")).contains("\"chat-model\"");
            assertThat(sample.get("/embedding-model/v1/models")).contains("\"embedding-model\"");
            HttpUrl bare = sample.root().resolve("/embedding-model?x=1");
            OkHttpClient staying =
                    sample.client().newBuilder().followRedirects(false).build();
            try (Response response =
                    staying.newCall(new Request.Builder().url(bare).build()).execute()) {
                assertThat(response.code()).isEqualTo(308);
                assertThat(response.header("Location")).isEqualTo("/embedding-model/?x=1");
            }
            Request alias = new Request.Builder()
                    .url(sample.root().resolve("/v1/models?x=1"))
                    .header("Host", "www.localhost:" + sample.root().port())
                    .build();
            try (Response response = staying.newCall(alias).execute()) {
                assertThat(response.code()).isEqualTo(308);
                assertThat(response.header("Location"))
                        .isEqualTo(sample.root().resolve("/v1/models?x=1").toString());
            }
        }
    }
}
