package io.webproxy.samples;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Http2Client;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class GrpcGatewayTest {
    private static final String HEALTH = "/grpc.health.v1.Health/Check";
    private static final byte[] MESSAGE = {0, 0, 0, 0, 1, 7};

    /** A service that echoes one message, and whose health is told by a switch. */
    private static RawUpstream service(String name, AtomicBoolean serving) throws Exception {
        return RawUpstream.start(raw -> {
            Http2Client c = Http2Client.serve(raw);
            while (true) {
                Http2Client.Frame head = c.next(HEADERS);
                boolean health = HEALTH.equals(c.fields(head).get(":path"));
                byte[] message = c.next(DATA).payload();
                byte status = (byte) (serving.get() ? 1 : 2);
                c.send(
                        HEADERS,
                        END_HEADERS,
                        head.stream(),
                        fields(":status", "200", "content-type", "application/grpc", "service", name));
                c.send(DATA, 0, head.stream(), health ? new byte[] {0, 0, 0, 0, 2, 8, status} : message);
                c.send(HEADERS, END_HEADERS | END_STREAM, head.stream(), fields("grpc-status", "0"));
            }
        });
    }

    /** Calls, and gives the service that has answered; null for an answer of the gateway. */
    private static String call(int port, SSLSocketFactory trust) throws Exception {
        try (Http2Client client = Http2Client.open(RawConnection.openTls(port, trust, "h2"))) {
            client.open(1, "POST", "/a.Echo/Call", "localhost", "content-type", "application/grpc", "te", "trailers");
            client.send(DATA, END_STREAM, 1, MESSAGE);
            var head = client.fields(client.next(HEADERS));
            if (head.containsKey("grpc-status")) {
                assertThat(head).containsEntry("grpc-status", "14");
                return null;
            }
            assertThat(client.next(DATA).payload()).isEqualTo(MESSAGE);
            assertThat(client.fields(client.next(HEADERS))).containsEntry("grpc-status", "0");
            return head.get("service");
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void callsGoToServicesThatAreHealthyAndArePrinted() throws Exception {
        AtomicBoolean first = new AtomicBoolean(true);
        AtomicBoolean second = new AtomicBoolean(false);
        try (RawUpstream one = service("one", first);
                RawUpstream two = service("two", second);
                RunningSample sample = RunningSample.start(out ->
                        GrpcGateway.run(0, new String[] {"h2c://" + one.address(), "h2c://" + two.address()}, out))) {
            int port = sample.root().port();
            SSLSocketFactory trust = sample.client().sslSocketFactory();
            assertThat(sample.printed()).contains("grpcurl -insecure localhost:" + port);
            await().untilAsserted(() -> {
                for (int i = 0; i < 4; i++) {
                    assertThat(call(port, trust)).isEqualTo("one");
                }
            });
            await().untilAsserted(() -> assertThat(sample.printed())
                    .containsPattern("/a.Echo/Call has ended with status 0 after .* s at h2c://" + one.address()));
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void callWithoutAServiceIsUnavailableAndPrinted() throws Exception {
        try (RawUpstream gone = service("gone", new AtomicBoolean());
                RunningSample sample =
                        RunningSample.start(out -> GrpcGateway.run(0, new String[] {"h2c://" + gone.address()}, out))) {
            gone.close();
            assertThat(call(sample.root().port(), sample.client().sslSocketFactory()))
                    .isNull();
            await().untilAsserted(() ->
                    assertThat(sample.printed()).containsPattern("/a.Echo/Call has ended with status 14 after .* s"));
        }
    }
}
