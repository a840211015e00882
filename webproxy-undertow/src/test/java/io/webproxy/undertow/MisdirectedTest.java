package io.webproxy.undertow;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ForwardError;
import io.webproxy.testing.Front;
import io.webproxy.testing.Http2Client;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.Certificates;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A request for a host over a connection that was opened, and authenticated, for another (RFC 9110 section 15.5.20). */
@ExtendWith(LeakCheck.class)
class MisdirectedTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    private static TestProxy proxy(Front front, RawUpstream upstream, CertificateSource... more) throws Exception {
        TestProxy proxy = TestProxy.start(front, b -> b.forward(upstream.uri()));
        proxy.server().update(c -> {
            CertificateSource[] all = new CertificateSource[more.length + 1];
            all[0] = c.build().certificates().get(0);
            System.arraycopy(more, 0, all, 1, more.length);
            c.certificates(all);
        });
        return proxy;
    }

    private static String status(RawConnection client, String host) throws Exception {
        client.send("GET / HTTP/1.1¶Host: " + host + "¶¶");
        return client.readResponse().substring(9, 12);
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1_TLS", "H1_TLS_JDK"})
    void hostOfAnotherCertificateIs421(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(
                        front,
                        upstream,
                        Certificates.selfSigned("other.example", "192.0.2.1"),
                        Certificates.selfSigned("*.wild.example"))) {
            for (String host :
                    new String[] {"other.example", "Other.Example.:443", "a.wild.example", "192.0.2.1", "192.0.2.1:8443"
                    }) {
                try (RawConnection client = proxy.raw()) {
                    assertThat(status(client, "localhost")).isEqualTo("200");
                    assertThat(proxy.record().error()).isNull();
                    assertThat(status(client, host)).as(host).isEqualTo("421");
                    assertThat(proxy.record().error()).isEqualTo(ForwardError.REQUEST_REJECTED);
                }
            }
            try (RawConnection client = proxy.raw()) {
                // hosts of the certificate, and those that no certificate is for
                for (String host :
                        new String[] {"localhost:1", "LOCALHOST", "127.0.0.1", "nobody.example", "a.b.wild.example"}) {
                    assertThat(status(client, host)).as(host).isEqualTo("200");
                }
            }
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H2_TLS", "H2_TLS_JDK"})
    void authorityOfAnotherCertificateIs421(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, upstream, Certificates.selfSigned("other.example"));
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "other.example");
            assertThat(client.answer(1)).isEqualTo("421");
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1_TLS", "H1_TLS_JDK"})
    void oneCertificateServesEveryHost(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = proxy(front, upstream);
                RawConnection client = proxy.raw()) {
            assertThat(status(client, "other.example")).isEqualTo("200");
        }
    }
}
