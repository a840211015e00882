package io.webproxy.blackbox.limits;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A client that sends a body gets the answer that comes before its end, as long as it reads it at last; and such
 * clients don't keep others out.
 */
@ExtendWith(LeakCheck.class)
class LingeringCloseTest {
    private static final int BODY = 5_000_000;
    private static final String UPLOAD = "POST / HTTP/1.1¶Host: a¶Content-Length: " + BODY + "¶¶";

    private static TestProxy locked(Front front, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(front, b -> {
            b.forward("http://127.0.0.1:1").basicAuth("user", "secret");
            more.accept(b);
        });
    }

    /** Heads of uploads that are answered at once, and the status. */
    static Stream<Arguments> uploads() {
        return Stream.of(Front.H1, Front.H1_TLS, Front.H1_TLS_JDK)
                .flatMap(front -> Stream.of("Content-Length: " + BODY, "Transfer-Encoding: chunked")
                        .flatMap(framing -> Stream.of(
                                        Arguments.of(front, "POST / HTTP/1.1¶Host: a¶" + framing + "¶¶", "401"),
                                        Arguments.of(front, "POST / HTTP/1.1¶" + framing + "¶¶", "400"),
                                        Arguments.of(front, "POST / HTTP/1.1¶Host: a¶X : y¶" + framing + "¶¶", "400"),
                                        Arguments.of(front, "TRACE / HTTP/1.1¶Host: a¶" + framing + "¶¶", "405"))
                                // over TLS one of the parser and one of the handlers
                                .limit(front.isTls() ? 2 : 4)));
    }

    @ParameterizedTest
    @MethodSource("uploads")
    void earlyAnswerReachesAClientThatReadsOnlyAtTheEnd(Front front, String head, String status) throws Exception {
        byte[] body = head.contains("chunked")
                ? (Integer.toHexString(BODY) + "\r\n" + "x".repeat(BODY) + "\r\n0\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII)
                : new byte[BODY];
        try (TestProxy proxy = locked(front, b -> {});
                RawConnection client = proxy.raw()) {
            client.send(head);
            client.send(body);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 " + status + " ");
            assertThat(client.end()).isEqualTo("end");
        }
    }

    /** The request is complete, and more comes than anybody reads. */
    @OverHttp1
    void lastAnswerReachesAClientThatSendsMore(Front front) throws Exception {
        byte[] more = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100_000).getBytes(StandardCharsets.US_ASCII);
        for (String head : List.of("GET / HTTP/1.1¶Host: a¶Connection: close¶¶", "TRACE / HTTP/1.1¶Host: a¶¶")) {
            try (TestProxy proxy = locked(front, b -> {});
                    RawConnection client = proxy.raw()) {
                client.send(head);
                client.send(more);
                assertThat(client.readResponse())
                        .startsWith(head.startsWith("GET") ? "HTTP/1.1 401 " : "HTTP/1.1 405 ");
                assertThat(client.end()).isEqualTo("end");
            }
        }
    }

    private static RawConnection lingering(TestProxy proxy) throws Exception {
        RawConnection client = proxy.raw();
        client.send(UPLOAD);
        assertThat(client.readResponse()).startsWith("HTTP/1.1 401 ");
        return client;
    }

    /** The connection is there for the client to send on, until the server resets it. */
    private static void assertReset(RawConnection client) {
        Awaitility.await().until(() -> {
            try {
                client.send(new byte[1]);
                return false;
            } catch (java.io.IOException e) {
                return true;
            }
        });
    }

    @OverHttp1
    void atMostAQuarterLingersAndTheOldestGivesWay(Front front) throws Exception {
        // of one thread only the order is known
        try (TestProxy proxy =
                        locked(front, b -> b.tuning(t -> t.withIoThreads(1).withConnections(8)));
                RawConnection first = lingering(proxy);
                RawConnection second = lingering(proxy);
                RawConnection third = lingering(proxy)) {
            assertReset(first);
            for (RawConnection client : List.of(second, third)) {
                client.send(new byte[100_000]);
                assertThat(client.end()).isEqualTo("end");
            }
        }
    }

    @Test
    void lingeringConnectionCountsAndGivesWayToAnother() throws Exception {
        try (TestProxy proxy = locked(
                        Front.H1,
                        b -> b.tuning(t -> t.withIoThreads(1).withConnections(4).withConnectionsPerAddress(4)));
                RawConnection lingers = lingering(proxy);
                RawConnection second = proxy.raw();
                RawConnection third = proxy.raw();
                RawConnection fourth = proxy.raw()) {
            for (RawConnection client : List.of(second, third, fourth)) {
                client.send("GET / HTTP/1.1¶Host: a¶¶");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 401 ");
            }
            try (RawConnection fifth = proxy.raw()) {
                fifth.send("GET / HTTP/1.1¶Host: a¶¶");
                assertThat(fifth.readResponse()).startsWith("HTTP/1.1 401 ");
                assertReset(lingers);
            }
        }
    }
}
