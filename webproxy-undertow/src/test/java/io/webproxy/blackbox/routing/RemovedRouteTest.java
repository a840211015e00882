package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What becomes of live exchanges and WebSockets when an update changes or removes routes. */
@ExtendWith(LeakCheck.class)
class RemovedRouteTest {
    private static final String GOING_AWAY = "\u0088\2\3\u00e9";
    private static final String UPGRADE =
            " HTTP/1.1¶Host: a¶Connection: Upgrade¶Upgrade: websocket¶Sec-WebSocket-Version: 13¶Sec-WebSocket-Key:"
                    + " dGhlIHNhbXBsZSBub25jZQ==¶¶";

    private final CountDownLatch rest = new CountDownLatch(1);
    private final BlockingQueue<String> frames = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    @BeforeEach
    void startUpstream() throws Exception {
        upstream = RawUpstream.start(c -> {
            String head = c.readHead();
            if (head.contains("websocket")) {
                c.send("HTTP/1.1 101 Switching Protocols¶Connection: Upgrade¶Upgrade: websocket¶¶");
                // a masked close frame of status 1001, or the end
                frames.add(c.read(8));
                c.readAll();
            } else {
                c.send("HTTP/1.1 200 OK¶Content-Length: 4¶¶ab");
                rest.await(30, TimeUnit.SECONDS);
                c.send("cd");
                c.readAll();
            }
        });
    }

    @AfterEach
    void stopUpstream() throws Exception {
        rest.countDown();
        upstream.close();
    }

    private TestProxy proxy(Duration drainTime) {
        return TestProxy.start(
                Front.H1,
                b -> b.route(r -> r.name("removed").path("/removed").forward(upstream.uri()))
                        .route(r -> r.name("changed").path("/changed").forward(upstream.uri()))
                        .route(r -> r.name("same").path("/same").forward(upstream.uri()))
                        .drainTime(drainTime));
    }

    private static RawConnection download(TestProxy proxy, String path) throws Exception {
        RawConnection client = proxy.raw();
        assertThat(client.send("GET " + path + " HTTP/1.1¶Host: a¶¶").readHead())
                .startsWith("HTTP/1.1 200");
        assertThat(client.read(2)).isEqualTo("ab");
        return client;
    }

    private static RawConnection webSocket(TestProxy proxy, String path) throws Exception {
        RawConnection client = proxy.raw();
        assertThat(client.send("GET " + path + UPGRADE).readHead()).startsWith("HTTP/1.1 101");
        return client;
    }

    private static void change(TestProxy proxy) {
        proxy.server()
                .update(b -> b.removeRoute("removed")
                        .route(r -> r.name("changed").path("/changed").forward("http://127.0.0.1:1")));
    }

    @Test
    void exchangesGoOnAndWebSocketsOfTheRemovedRouteGet1001() throws Exception {
        try (TestProxy proxy = proxy(Duration.ofSeconds(60));
                RawConnection removed = download(proxy, "/removed");
                RawConnection changed = download(proxy, "/changed");
                RawConnection goes = webSocket(proxy, "/removed");
                RawConnection staysToo = webSocket(proxy, "/changed");
                RawConnection stays = webSocket(proxy, "/same")) {
            change(proxy);
            assertThat(goes.read(4)).isEqualTo(GOING_AWAY);
            String toUpstream = frames.poll(30, TimeUnit.SECONDS);
            assertThat(toUpstream).startsWith("\u0088\u0082");
            assertThat((toUpstream.charAt(6) ^ toUpstream.charAt(2)) << 8 | toUpstream.charAt(7) ^ toUpstream.charAt(3))
                    .isEqualTo(1001);
            goes.close();
            await().until(() -> proxy.server().status().tunnels() == 2);
            rest.countDown();
            assertThat(removed.read(2)).isEqualTo("cd");
            assertThat(changed.read(2)).isEqualTo("cd");
            assertThat(removed.send("GET /removed HTTP/1.1¶Host: a¶¶").readResponse())
                    .as("a request behind it")
                    .startsWith("HTTP/1.1 404");
            assertThat(frames).as("the other WebSockets").isEmpty();
            assertThat(staysToo.socket().isClosed() || stays.socket().isClosed())
                    .isFalse();
        }
    }

    @Test
    void whatIsLeftIsCutWhenTheDrainTimeIsOver() throws Exception {
        try (TestProxy proxy = proxy(Duration.ofMillis(200));
                RawConnection removed = download(proxy, "/removed");
                RawConnection goes = webSocket(proxy, "/removed");
                RawConnection changed = download(proxy, "/changed");
                RawConnection stays = webSocket(proxy, "/same")) {
            change(proxy);
            assertThat(removed.end()).isEqualTo("reset");
            assertThat(goes.read(4)).isIn(GOING_AWAY, "");
            await().until(() -> proxy.server().status().tunnels() == 1
                    && proxy.server().status().exchanges() == 1);
            rest.countDown();
            assertThat(changed.read(2)).isEqualTo("cd");
            assertThat(stays.socket().isClosed()).isFalse();
        }
    }
}
