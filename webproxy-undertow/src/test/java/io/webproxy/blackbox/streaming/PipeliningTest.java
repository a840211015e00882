package io.webproxy.blackbox.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Answer;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.RequestFilter;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.message.ChunkedDecoder;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Requests of all kinds one after the other without waiting, cut into pieces anywhere: each gets its own answer, in
 * order.
 */
@ExtendWith(LeakCheck.class)
class PipeliningTest {
    private static final int ROUNDS = Integer.getInteger("pipelining.rounds", 80);

    private record Call(String request, String answer) {}

    @OverHttp1
    void eachRequestGetsItsAnswer(Front front) throws Exception {
        long seed = Long.getLong("pipelining.seed", System.nanoTime());
        Random random = new Random(seed);
        try (RawUpstream upstream = RawUpstream.start(PipeliningTest::serve);
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.forward(upstream.uri()))
                                .route(r -> r.path("/strip/").stripPrefix().forward(upstream.uri())))) {
            RawConnection client = proxy.raw();
            for (int round = 0; round < ROUNDS; round++) {
                List<Call> calls = new ArrayList<>();
                StringBuilder all = new StringBuilder();
                for (int i = random.nextInt(1, 30); i > 0; i--) {
                    Call call = call(random, round + "." + i);
                    calls.add(call);
                    all.append(call.request);
                }
                Thread sender = send(client, all.toString().getBytes(StandardCharsets.ISO_8859_1), random);
                for (Call call : calls) {
                    String response = client.readResponse();
                    assertThat(response.startsWith("HTTP/1.1 " + (call.answer.isEmpty() ? "308 " : "200 "))
                                    && bodyOf(response).contains(call.answer))
                            .as("seed %d, round %d, request%n%s%nanswer%n%s", seed, round, call.request, response)
                            .isTrue();
                }
                sender.join();
                if (random.nextInt(10) == 0) {
                    client.close();
                    client = proxy.raw();
                }
            }
            client.close();
        }
    }

    @OverHttp1
    void manyRequestsAtOnceDontKeepOthersWaiting(Front front) throws Exception {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch otherSent = new CountDownLatch(1);
        RequestFilter filter = request -> {
            if (request.path().equals("/first")) {
                started.countDown();
                // holds the IO thread: whatever is sent meanwhile waits in sockets
                hold(otherSent);
            }
            return FilterDecision.answer(Answer.text(200, "ok"));
        };
        try (TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.tuning(t -> t.withIoThreads(1))
                                .route(r -> r.filter(filter).forward("http://127.0.0.1:9")));
                RawConnection many = proxy.raw();
                RawConnection other = proxy.raw()) {
            int requests = 500;
            many.send("GET /before HTTP/1.1¶Host: a¶¶");
            assertThat(many.readResponse()).endsWith("ok");
            many.send("GET /first HTTP/1.1¶Host: a¶¶" + "GET /many HTTP/1.1¶Host: a¶¶".repeat(requests));
            assertThat(started.await(30, TimeUnit.SECONDS)).isTrue();
            other.send("GET /other HTTP/1.1¶Host: a¶¶");
            otherSent.countDown();
            assertThat(other.readResponse()).endsWith("ok");
            int before = 0;
            while (!proxy.record().path().equals("/other")) {
                before++;
            }
            assertThat(before).isLessThan(requests / 2);
            for (int i = 0; i <= requests; i++) {
                assertThat(many.readResponse()).endsWith("ok");
            }
        }
    }

    private static void hold(CountDownLatch until) {
        try {
            until.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Thread send(RawConnection client, byte[] bytes, Random random) {
        int pieces = random.nextInt(4) == 0 ? 1 : random.nextInt(1, 40);
        List<Integer> cuts = new ArrayList<>(List.of(0, bytes.length));
        for (int i = 1; i < pieces; i++) {
            cuts.add(random.nextInt(bytes.length));
        }
        cuts.sort(null);
        boolean paced = random.nextBoolean();
        Thread sender = new Thread(() -> {
            try {
                for (int i = 1; i < cuts.size(); i++) {
                    client.send(Arrays.copyOfRange(bytes, cuts.get(i - 1), cuts.get(i)));
                    if (paced) {
                        RawConnection.pace(Duration.ofMillis(1));
                    }
                }
            } catch (IOException e) {
                // the reader finds that out too
            }
        });
        sender.start();
        return sender;
    }

    private static Call call(Random random, String name) {
        String text = name + "-" + "x".repeat(random.nextInt(4) == 0 ? random.nextInt(40_000) : random.nextInt(50));
        String filler = random.nextInt(6) == 0 ? "X-Fill: " + "f".repeat(random.nextInt(9000)) + "\r\n" : "";
        String answered = random.nextBoolean() ? "chunks" : "length";
        String empty = random.nextInt(8) == 0 ? "\r\n" : "";
        String rest = " HTTP/1.1\r\nHost: a\r\n" + filler;
        return switch (random.nextInt(5)) {
            case 0 -> new Call(empty + "GET /" + answered + "/" + name + rest + "\r\n", "/" + answered + "/" + name);
            case 1 -> new Call(empty + "GET /strip" + rest + "\r\n", "");
            case 2 ->
                new Call(
                        empty + "POST /" + answered + rest + "Content-Length: " + text.length() + "\r\n\r\n" + text,
                        text);
            case 3 -> new Call(empty + "PUT /" + answered + rest + "Content-Length: 0\r\n\r\n", "/" + answered);
            default ->
                new Call(
                        empty + "POST /" + answered + rest + "Transfer-Encoding: chunked\r\n\r\n"
                                + chunks(random, text),
                        text);
        };
    }

    private static String chunks(Random random, String text) {
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < text.length(); ) {
            int size = Math.min(text.length() - at, random.nextInt(1, 1 + Math.max(20, text.length() / 3)));
            out.append(Integer.toHexString(size))
                    .append(random.nextInt(5) == 0 ? ";a=b" : "")
                    .append("\r\n");
            out.append(text, at, at + size).append("\r\n");
            at += size;
        }
        return out.append("0\r\n")
                .append(random.nextInt(4) == 0 ? "X-End: 1\r\n" : "")
                .append("\r\n")
                .toString();
    }

    /** Answers with the body, or else the path. */
    private static void serve(RawConnection c) throws IOException {
        for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
            String path = head.split(" ")[1];
            String body = body(c, head.toLowerCase(Locale.ROOT));
            String text = body.isEmpty() ? path : body;
            if (path.startsWith("/chunks")) {
                int half = text.length() / 2;
                c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(text.substring(0, half))
                        + chunk(text.substring(half)) + "0\r\n\r\n");
            } else {
                c.send("HTTP/1.1 200 OK\r\nContent-Length: " + text.length() + "\r\n\r\n" + text);
            }
        }
    }

    private static String bodyOf(String response) {
        int body = response.indexOf("\r\n\r\n") + 4;
        if (!response.substring(0, body).contains("Transfer-Encoding: chunked")) {
            return response.substring(body);
        }
        ByteBuffer in = ByteBuffer.wrap(response.substring(body).getBytes(StandardCharsets.ISO_8859_1));
        ByteBuffer out = ByteBuffer.allocate(in.remaining());
        ChunkedDecoder decoder = new ChunkedDecoder();
        decoder.decode(in, out);
        assertThat(decoder.isEnd()).isTrue();
        return new String(out.array(), 0, out.position(), StandardCharsets.ISO_8859_1);
    }

    private static String chunk(String text) {
        return text.isEmpty() ? "" : Integer.toHexString(text.length()) + "\r\n" + text + "\r\n";
    }

    private static String body(RawConnection c, String head) throws IOException {
        int length = head.indexOf("\r\ncontent-length: ");
        if (length >= 0) {
            int from = length + "\r\ncontent-length: ".length();
            return c.read(Integer.parseInt(head.substring(from, head.indexOf('\r', from))));
        }
        StringBuilder body = new StringBuilder();
        if (head.contains("\r\ntransfer-encoding: chunked\r\n")) {
            for (int size = size(c); size > 0; size = size(c)) {
                body.append(c.read(size));
                c.readLine();
            }
            while (!c.readLine().equals("\r\n")) {
                // a trailer
            }
        }
        return body.toString();
    }

    private static int size(RawConnection c) throws IOException {
        return Integer.parseInt(c.readLine().strip(), 16);
    }
}
