package io.webproxy.blackbox.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A refusal comes at once, whoever refuses, says what is wrong and has a record; it never waits for the body. */
@ExtendWith(LeakCheck.class)
class RefusalTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final List<Front> HTTP1 = List.of(Front.H1, Front.H1_TLS, Front.H1_TLS_JDK);

    /** Heads that are refused before a handler of ours sees them, and words of the answer. */
    static Stream<Arguments> heads() {
        List<String> hosts = List.of(
                "", "Host: a¶Host: a¶", "Host: a b¶", "Host: a/x¶", "Host: a@b¶", "Host: a:99999¶", "Host: [::1¶");
        List<String> bodies = List.of("Content-Length: 100¶", "Transfer-Encoding: chunked¶", "Content-Length: 2¶", "");
        Stream<Arguments> withoutHost = hosts.stream()
                .flatMap(host -> bodies.stream()
                        .map(body -> Arguments.of("POST /x HTTP/1.1¶" + host + body + "¶", 400, "no valid Host")));
        Stream<Arguments> others = bodies.stream()
                .flatMap(body -> Stream.of(
                        Arguments.of("POST http://b/x HTTP/1.1¶Host: a¶" + body + "¶", 400, "another host"),
                        Arguments.of("POST /x HTTP/2.0¶" + body + "¶", 505, "Only HTTP/1.1"),
                        Arguments.of("POST /x HTTP/1.1¶Host: a¶X : y¶" + body + "¶", 400, "malformed"),
                        Arguments.of("POST /x HTTP/1.1¶Host: a¶X: y\0¶" + body + "¶", 400, "malformed"),
                        Arguments.of("POST /x HTTP/1.1¶Host: a¶noColon¶" + body + "¶", 400, "malformed"),
                        Arguments.of("POST /x HTTP/1.1¶Transfer-Encoding: identity¶" + body + "¶", 400, "")));
        return Stream.concat(withoutHost, others);
    }

    @OverHttp1
    void refusalNeverWaitsForTheBody(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            for (Arguments each : heads().toList()) {
                refused(proxy, (String) each.get()[0], (int) each.get()[1], (String) each.get()[2]);
            }
            assertThat(upstream.connections()).isZero();
        }
    }

    private static void refused(TestProxy proxy, String head, int status, String words) throws Exception {
        try (RawConnection client = proxy.raw()) {
            client.send(head);
            assertThat(client.readResponse())
                    .as(head)
                    .startsWith("HTTP/1.1 " + status + " ")
                    .contains("\r\nConnection: close\r\n", "\r\n\r\n" + status + " ", words);
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).as(head).isEqualTo(status);
            assertThat(record.method()).as(head).isEqualTo("POST");
            assertThat(record.path()).as(head).isEqualTo("/x");
            assertThat(record.requestId()).as(head).isNotEmpty();
            assertThat(record.error()).as(head).contains(ForwardError.REQUEST_REJECTED);
            client.shutdownOutput();
            assertThat(client.end()).as(head).isEqualTo("end");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Host: a¶Host: a¶", "Host: a b¶", "Host: a:99999¶", "Host: other¶"})
    void malformedBodyDoesNotHideThatTheHostIsRefused(String host) throws Exception {
        String target = host.equals("Host: other¶") ? "http://a/x" : "/x";
        for (Front front : HTTP1) {
            try (RawUpstream upstream = RawUpstream.answering(OK);
                    TestProxy proxy = TestProxy.start(front, upstream.uri())) {
                for (String body : List.of(
                        "1f¶GET\r\r /evil HTTP/1.1¶Host: a¶¶¶0¶¶GET /b HTTP/1.1¶Host: a¶¶",
                        "1f¶" + "x".repeat(40),
                        "zz¶",
                        "1¶xx¶",
                        "0¶a: b\0¶¶")) {
                    try (RawConnection client = proxy.raw()) {
                        client.send("POST " + target + " HTTP/1.1¶" + host + "Transfer-Encoding: chunked¶¶" + body);
                        assertThat(client.readResponse())
                                .as(body)
                                .startsWith("HTTP/1.1 400 ")
                                .contains(host.equals("Host: other¶") ? "another host" : "no valid Host");
                        assertThat(proxy.record().status()).isEqualTo(400);
                    }
                }
                assertThat(upstream.connections()).isZero();
            }
        }
    }

    /** The head comes in pieces, and part of the body with it. */
    @OverHttp1
    void refusalOfAHeadInPieces(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            for (String piece : "POST /long?q=1 HTTP/1.1¶Content-Le|ngth: 5|0¶|\r|\nabc|def".split("\\|")) {
                client.send(piece);
            }
            assertThat(client.readResponse()).startsWith("HTTP/1.1 400 ").contains("no valid Host");
            assertThat(proxy.record().status()).isEqualTo(200);
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(400);
            assertThat(record.path()).isEqualTo("/long");
            assertThat(record.query()).isEqualTo("q=1");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void methodHasUpTo64Letters(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        String method = head.substring(0, head.indexOf(' '));
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + method.length() + "¶¶" + method);
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            String request = " / HTTP/1.1¶Host: a¶¶";
            for (int length : new int[] {1, 32, 33, 40, 64}) {
                String method = "AB".repeat(32).substring(64 - length);
                client.send(method + request + "¶" + method + request);
                for (int i = 0; i < 2; i++) {
                    assertThat(client.readResponse()).endsWith("\r\n\r\n" + method);
                    assertThat(proxy.record().method()).isEqualTo(method);
                }
            }
            client.send("X".repeat(65) + request);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 400 ").contains("malformed");
            assertThat(proxy.record().method()).hasSize(65);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void longMethodIsSplitAnywhere(Front front) throws Exception {
        String request = " / HTTP/1.1¶Host: a¶¶";
        String method = "AB".repeat(20);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        String seen = head.substring(0, head.indexOf(' '));
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + seen.length() + "¶¶" + seen);
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            for (int split = 1; split < method.length(); split++) {
                client.send(method.substring(0, split));
                client.send(method.substring(split) + request);
                assertThat(client.readResponse()).endsWith("\r\n\r\n" + method);
                assertThat(proxy.record().method()).isEqualTo(method);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"A\rB", "A\u0001B", "A(B", "A\u00e9B", "\u0000"})
    void longMethodThatIsNoTokenIsRefused(String start) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(start + "C".repeat(40) + " / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 400 ").contains("malformed");
            assertThat(client.end()).isEqualTo("end");
            assertThat(proxy.record().status()).isEqualTo(400);
            proxy.awaitIdle();
        }
    }

    /** What a client sees of a limit, whoever finds that it is passed. */
    static Stream<Arguments> limits() {
        return Stream.of(
                Arguments.of("GET /" + "y".repeat(17_000) + " HTTP/1.1¶Host: a¶¶", 414),
                Arguments.of("GET /" + "y".repeat(40_000) + " HTTP/1.1¶Host: a¶¶", 414),
                Arguments.of("GET /?" + "y".repeat(60_000) + " HTTP/1.1¶Host: a¶¶", 414),
                Arguments.of("GET /?" + "y".repeat(90_000) + " HTTP/1.1¶Host: a¶¶", 414),
                Arguments.of("GET / HTTP/1.1¶Host: a¶X: " + "y".repeat(40_000) + "¶¶", 431),
                Arguments.of("GET / HTTP/1.1¶Host: a¶X: " + "y".repeat(90_000) + "¶¶", 431),
                Arguments.of("GET / HTTP/1.1¶Host: a¶" + "A: b¶".repeat(300) + "¶", 431));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void limitIsToldAndRecorded(String request, int status) throws Exception {
        for (Front front : List.of(Front.H1, Front.H1_TLS)) {
            try (TestProxy proxy = TestProxy.start(front, "http://127.0.0.1:1");
                    RawConnection client = proxy.raw()) {
                client.send(request);
                assertThat(client.readResponse()).startsWith("HTTP/1.1 " + status + " ");
                ExchangeRecord record = proxy.record();
                assertThat(record.status()).isEqualTo(status);
                assertThat(record.method()).isEqualTo("GET");
                assertThat(record.path()).startsWith("/");
            }
        }
    }
}
