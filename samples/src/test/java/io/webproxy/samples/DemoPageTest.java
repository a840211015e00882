package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyServer;
import io.webproxy.samples.demo.DemoService;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.tls.Certificates;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
class DemoPageTest {
    @TempDir
    Path directory;

    @Test
    void everyPartWorksInABrowser() throws Exception {
        try (DemoService service = DemoService.start()) {
            assertAllOk("http://127.0.0.1:" + service.port() + "/");
        }
    }

    @Test
    void everyPartWorksInABrowserThroughTheProxy() throws Exception {
        try (DemoService service = DemoService.start();
                ProxyServer proxy = ProxyServer.builder()
                        .bind("127.0.0.1")
                        .https(0)
                        .certificates(Certificates.selfSigned("localhost"))
                        .forward("http://127.0.0.1:" + service.port())
                        .drainTime(Duration.ZERO)
                        .start()) {
            service.show(proxy);
            assertThat(assertAllOk(proxy.uri().toString()))
                    .contains(
                            "<td>X-Forwarded-Proto</td><td>https</td>",
                            "id=\"protocol\">HTTP/2 over TLS<",
                            "id=\"tls\">" + proxy.status().tlsProvider() + "<",
                            "id=\"certificate\">for localhost; issued by ");
        }
    }

    private String assertAllOk(String url) throws Exception {
        String chromium = Peers.require("chromium").toString();
        Peers.Outcome outcome = Peers.run(
                Duration.ofSeconds(60),
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--ignore-certificate-errors",
                "--user-data-dir=" + directory.resolve("chromium"),
                "--dump-dom",
                url);
        assertThat(outcome.stdout())
                .as(outcome.stderr())
                .contains(
                        "<title>webproxy demo: all ok</title>",
                        "id=\"http\">ok<",
                        "id=\"sse\">ok<",
                        "id=\"ws\">ok<",
                        "id=\"download\">ok<",
                        "id=\"upload\">ok<");
        return outcome.stdout();
    }
}
