package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import okhttp3.Request;
import okhttp3.Response;
import okio.BufferedSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class ReloadRoutesTest {
    private static final Duration INTERVAL = Duration.ofMillis(20);

    @TempDir
    private Path directory;

    private void write(String... lines) throws IOException {
        Files.write(directory.resolve("routes.txt"), List.of(lines));
    }

    private RunningSample start() throws Exception {
        return RunningSample.start(out -> ReloadRoutes.run(directory.resolve("routes.txt"), 0, INTERVAL, out));
    }

    private static RawUpstream named(String name) throws IOException {
        return RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 3¶¶" + name);
    }

    private static void stream(RawConnection connection, CountDownLatch more) throws Exception {
        connection.readHead();
        connection.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶¶data: 1\n\n");
        more.await(30, TimeUnit.SECONDS);
        connection.send("data: 2\n\n");
    }

    @Test
    @ExpectedLog(logger = "io.webproxy", contains = "self-signed")
    void fileThatChangesIsInForceAndABadOneChangesNothing() throws Exception {
        CountDownLatch more = new CountDownLatch(1);
        try (RawUpstream one = named("one");
                RawUpstream two = named("two");
                RawUpstream live = RawUpstream.start(connection -> stream(connection, more))) {
            write("* / -> " + one.uri(), "* /live -> " + live.uri());
            try (RunningSample sample = start();
                    Response response = sample.client()
                            .newCall(new Request.Builder()
                                    .url(sample.root().resolve("/live"))
                                    .build())
                            .execute()) {
                BufferedSource events = response.body().source();
                assertThat(events.readUtf8Line()).isEqualTo("data: 1");
                assertThat(sample.get("/")).isEqualTo("one");

                write("# moved", "localhost / -> " + two.uri(), "", "* /live -> " + live.uri());
                await().until(() -> sample.printed().contains("routes in force: 2"));
                assertThat(sample.get("/")).isEqualTo("two");

                write("* / -> " + one.uri(), "  nonsense  ");
                await().until(() -> sample.printed().contains("routes.txt, line 2: nonsense (expected: HOST PATH -> "));
                write("* / -> " + one.uri(), "* / -> " + two.uri());
                await().until(() -> sample.printed()
                        .contains("routes.txt, line 2: * / -> " + two.uri()
                                + " (expected: each host and path only once; line 1 has it)"));
                write("* /x -> ftp://host");
                await().until(() -> sample.printed().contains("routes.txt, line 1: forward: ftp://host (expected: "));
                write("* /a -> " + one.uri(), "* /own -> " + sample.root());
                await().until(() -> sample.printed().contains("routes.txt, line 2: route /own: its upstream "));
                write("# nothing");
                await().until(() -> sample.printed().contains("routes.txt, no line with a route (expected: "));
                assertThat(sample.get("/")).isEqualTo("two");

                more.countDown();
                assertThat(events.readUtf8Line()).isEmpty();
                assertThat(events.readUtf8Line()).as("of a route that stays").isEqualTo("data: 2");
            }
        }
    }

    @Test
    void fileThatIsBadAtTheStartIsOneSentence() throws Exception {
        write("* / http://127.0.0.1:1");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReloadRoutes.run(directory.resolve("routes.txt"), 0, INTERVAL, System.out))
                .withMessageStartingWith("line 1: * / http://127.0.0.1:1 (expected: HOST PATH -> URI…");
    }
}
