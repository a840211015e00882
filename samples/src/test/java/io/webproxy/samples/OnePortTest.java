package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.net.InetAddress;
import java.util.List;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class OnePortTest {
    private static final String BANNER = "SSH-2.0-test¶";

    @Test
    void sshHttpHttpsAndANameThatPassesThroughShareOnePort() throws Exception {
        HeldCertificate own = new HeldCertificate.Builder()
                .commonName("db.localhost")
                .addSubjectAlternativeName("db.localhost")
                .build();
        try (RawUpstream sshd = RawUpstream.start(c -> {
                    c.send(BANNER);
                    c.readLine();
                });
                MockWebServer database = new MockWebServer()) {
            database.useHttps(new HandshakeCertificates.Builder()
                    .heldCertificate(own)
                    .build()
                    .sslSocketFactory());
            database.enqueue(new MockResponse.Builder().body("passed through").build());
            database.start();
            String[] arguments = {"0", "127.0.0.1:" + sshd.port(), "db.localhost", "127.0.0.1:" + database.getPort()};
            try (RunningSample sample = RunningSample.start(out -> OnePort.run(arguments, out))) {
                int port = sample.root().port();
                assertThat(sample.get("/v1/models")).contains("\"chat-model\"");
                assertThat(sample.get("/embedding-model/v1/models")).contains("\"embedding-model\"");
                assertThat(get(sample.client(), "https://embedding.localhost:" + port + "/v1/models"))
                        .contains("\"embedding-model\"");
                assertThat(get(sample.client(), "http://localhost:" + port + "/v1/models"))
                        .contains("\"chat-model\"");
                HandshakeCertificates trust = new HandshakeCertificates.Builder()
                        .addTrustedCertificate(own.certificate())
                        .build();
                assertThat(get(
                                sample.client()
                                        .newBuilder()
                                        .sslSocketFactory(trust.sslSocketFactory(), trust.trustManager())
                                        .build(),
                                "https://db.localhost:" + port + "/"))
                        .isEqualTo("passed through");
                for (String first : new String[] {"SSH-2.0-test¶", ""}) {
                    try (RawConnection client = RawConnection.open(port)) {
                        client.send(first);
                        assertThat(client.readLine().strip()).isEqualTo("SSH-2.0-test");
                    }
                }
            }
        }
    }

    private static String get(OkHttpClient client, String url) throws Exception {
        OkHttpClient local = client.newBuilder()
                .dns(name -> List.of(InetAddress.getLoopbackAddress()))
                .build();
        try (Response response =
                local.newCall(new Request.Builder().url(url).build()).execute()) {
            assertThat(response.code()).isEqualTo(200);
            return response.body().string();
        }
    }
}
