package io.webproxy.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.webproxy.corpus.CorpusCase.Forwarded;
import io.webproxy.corpus.CorpusCase.Reuse;
import io.webproxy.corpus.CorpusCase.State;
import io.webproxy.testing.RawConnection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is looked at when a case is put to a proxy: what the client gets, what the upstreams see, and the next request.
 */
final class CorpusCheck {
    private CorpusCheck() {}

    /** Puts a case to a proxy, and looks at everything that it says. */
    static void run(CorpusProxy proxy, CorpusCase one) throws Exception {
        proxy.upstream().script(one.reply(), one.replyEnd());
        try (RawConnection client = proxy.connect()) {
            send(client, one);
            converse(client, one);
            if (one.state() == State.OPEN) {
                client.send(
                        "GET " + CorpusUpstream.MARKER + " HTTP/1.1¶Host: localhost¶" + proxy.authorization() + "¶");
                clean(client, "on the same connection");
            }
        }
        good(proxy);
        upstreamSaw(proxy.upstream(), one);
    }

    /** A good request on the connection of somebody else. */
    static void good(CorpusProxy proxy) throws IOException {
        proxy.bystander()
                .send("GET " + CorpusUpstream.MARKER + " HTTP/1.1¶Host: localhost¶" + proxy.authorization() + "¶");
        clean(proxy.bystander(), "on another connection");
    }

    private static void send(RawConnection client, CorpusCase one) throws IOException {
        try {
            client.send(one.send());
            if (one.fin()) {
                client.shutdownOutput();
            }
        } catch (IOException e) {
            // an answer that ends the connection may come before all is sent
        }
    }

    private static void converse(RawConnection client, CorpusCase one) throws IOException {
        List<Integer> statuses = new ArrayList<>();
        ClientAnswer last = null;
        boolean toHead = new String(one.send(), StandardCharsets.ISO_8859_1).startsWith("HEAD ");
        for (Set<Integer> expected : one.answers()) {
            ClientAnswer answer = ClientAnswer.read(client, toHead);
            if (answer == null
                    && one.state() == State.ABORTED
                    && statuses.size() == one.answers().size() - 1) {
                // cut before the first of its bytes was sent
                return;
            }
            if (answer == null) {
                fail("the connection ended behind %s (expected: %s)", statuses, one.answers());
                return;
            }
            statuses.add(answer.status());
            assertThat(answer.status())
                    .as("status behind %s of%n%s%s", statuses, answer.head(), answer.body())
                    .isIn(expected);
            last = answer;
        }
        if (last != null) {
            shown(last, one);
        }
        if (one.state() == State.CLOSED || one.state() == State.ABORTED) {
            assertThat(rest(client))
                    .as("what comes behind the last answer, up to the end")
                    .isEmpty();
        }
    }

    private static void shown(ClientAnswer answer, CorpusCase one) {
        String all = answer.head() + answer.trailers();
        assertThat(answer.whole()).as("whether the answer ends: %s", answer).isEqualTo(one.state() != State.ABORTED);
        if (one.body() != null) {
            assertThat(answer.body()).isEqualTo(one.body());
        }
        for (String line : one.shown()) {
            assertThat(all).containsIgnoringCase("\r\n" + line + "\r\n");
        }
        for (String text : one.hidden()) {
            assertThat(all).doesNotContainIgnoringCase(text);
        }
    }

    private static String rest(RawConnection client) throws IOException {
        try {
            return client.readAll();
        } catch (IOException e) {
            if (ClientAnswer.isTimeout(e)) {
                return fail("the connection stays open");
            }
            return "";
        }
    }

    private static void clean(RawConnection client, String where) throws IOException {
        ClientAnswer answer = ClientAnswer.read(client, false);
        assertThat(answer).as("the answer to a good request %s", where).isNotNull();
        if (answer != null) {
            assertThat(answer.status() + " " + answer.body())
                    .as("the answer to a good request %s", where)
                    .isEqualTo("200 " + CorpusUpstream.MARKER_BODY);
        }
    }

    /** Compares what has come to the upstreams. */
    static void upstreamSaw(CorpusUpstream upstream, CorpusCase one) throws InterruptedException {
        List<SeenRequest> all = upstream.seen();
        List<SeenRequest> markers = all.stream().filter(CorpusCheck::isMarker).toList();
        List<SeenRequest> others = all.stream().filter(r -> !isMarker(r)).toList();
        assertThat(markers)
                .as("marker requests at the upstream, of %s", all)
                .hasSize(one.state() == State.OPEN ? 2 : 1);
        // what is to be aborted is refused before it is sent if all of it comes at once
        List<Forwarded> expected = others.size() < one.forwarded().size()
                ? one.forwarded().stream().filter(request -> !request.aborted()).toList()
                : one.forwarded();
        assertThat(others).as("requests at the upstream").hasSize(expected.size());
        for (int i = 0; i < others.size(); i++) {
            compare(upstream, others.get(i), expected.get(i));
        }
        if (one.reuse() != Reuse.ANY && !others.isEmpty()) {
            SeenRequest last = others.get(others.size() - 1);
            if (one.reuse() == Reuse.CLOSED) {
                assertThat(upstream.awaitClosed(last))
                        .as("whether the upstream connection is closed")
                        .isTrue();
            }
            for (SeenRequest marker : markers) {
                assertThat(marker.connection() == last.connection())
                        .as("whether the next request comes on the same connection")
                        .isEqualTo(one.reuse() == Reuse.SAME);
            }
        }
    }

    /** A request may have reached the upstream, but not its end, and nothing else has. */
    static void upstreamSawNoEndOf(String line, CorpusUpstream upstream) throws InterruptedException {
        for (SeenRequest request : upstream.seen()) {
            if (!isMarker(request)) {
                assertThat(request.line()).isEqualTo(line);
                assertThat(upstream.awaitClosed(request))
                        .as("whether the upstream connection is closed")
                        .isTrue();
                assertThat(request.isComplete()).as("whether it has ended").isFalse();
            }
        }
    }

    private static boolean isMarker(SeenRequest request) {
        return !request.isMalformed() && request.line().equals("GET " + CorpusUpstream.MARKER + " HTTP/1.1");
    }

    private static void compare(CorpusUpstream upstream, SeenRequest request, Forwarded expected)
            throws InterruptedException {
        assertThat(request.isMalformed())
                .as("whether it is malformed: %s", request)
                .isFalse();
        assertThat((request.isGuarded() ? "protected: " : "upstream: ") + request.line())
                .isEqualTo((expected.guarded() ? "protected: " : "upstream: ") + expected.line());
        for (String line : expected.has()) {
            assertThat(request.lines()).as("head at the upstream").anyMatch(line::equalsIgnoreCase);
        }
        String head = String.join("\r\n", request.lines());
        for (String text : expected.lacks()) {
            assertThat(head).doesNotContainIgnoringCase(text);
        }
        if (expected.aborted()) {
            assertThat(upstream.awaitClosed(request))
                    .as("whether the upstream connection is closed")
                    .isTrue();
            assertThat(request.isComplete())
                    .as("whether the request has come to its end: %s", request)
                    .isFalse();
        } else {
            assertThat(request.isComplete())
                    .as("whether the request has come to its end: %s", request)
                    .isTrue();
        }
        @Nullable String content = expected.content();
        if (content != null) {
            assertThat(request.body()).isEqualTo(content);
        }
    }
}
