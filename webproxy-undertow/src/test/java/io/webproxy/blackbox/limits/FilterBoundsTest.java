package io.webproxy.blackbox.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.webproxy.route.FilterDecision;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a filter can't do, even if it hands on what the client says. */
@ExtendWith(LeakCheck.class)
class FilterBoundsTest {
    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();

    private RawUpstream upstream() throws Exception {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head);
                c.send("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"/../s", "/a/%2e%2e/../s", "/a/..;/s", "/a%5c..%5cs", "/a%00", "/%zz"})
    void pathThatLeadsElsewhereIs400(String path) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.filter(
                                        request -> FilterDecision.proceed().withPath(path))
                                .forward(upstream.uri())));
                RawConnection client = proxy.raw()) {
            assertThat(client.send("GET / HTTP/1.1¶Host: a¶¶").readResponse()).startsWith("HTTP/1.1 400 ");
            assertThat(heads).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1_TLS", "H2_TLS"})
    void fieldOfTheClientsIdentityIsTheHandshakesAlone(Front front, @TempDir Path directory) throws Exception {
        Path trusted = Files.writeString(directory.resolve("trusted.pem"), TestProxy.rootPem());
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.clientCertificates(ClientCertificates.optional(TrustStore.pem(trusted))
                                        .withHeader("X-Id"))
                                .route(r -> r.setRequestHeader("x-id", "of the route")
                                        .filter(request -> FilterDecision.proceed()
                                                .setHeader("X.Id", "of the filter")
                                                .setHeader("X-Other", "kept"))
                                        .forward(upstream.uri())));
                Response response = proxy.client()
                        .newCall(new Request.Builder().url(proxy.url("/")).build())
                        .execute()) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(heads.poll(30, TimeUnit.SECONDS))
                    .contains("X-Other: kept")
                    .doesNotContainIgnoringCase("x-id")
                    .doesNotContain("X.Id");
        }
    }

    @Test
    void decisionIsCheckedHoweverItIsMade() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FilterDecision.proceed().withPath("http://b/ HTTP/1.1"))
                .withMessageStartingWith("path: http://b/ HTTP/1.1 (expected: ");
        for (String name : new String[] {"Client-Cert", "client-cert-chain"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new HeaderEdit(HeaderEdit.Kind.ADD, name, "x"))
                    .withMessageStartingWith("header: " + name);
        }
    }
}
