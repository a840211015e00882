package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyServer;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.XnioIoThread;

/** A thread that the server can't be without ends, as it does where XNIO itself meets an OutOfMemoryError. */
@ExtendWith(LeakCheck.class)
class DeadThreadTest {
    private static ProxyServer start() {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .http(0)
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .forward("http://127.0.0.1:1")
                .start();
    }

    private static Thread thread(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each instanceof XnioIoThread && each.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Ends the thread as an error within XNIO's loop does: it is told by its handler, and is no more. */
    private static void kill(Thread thread) {
        thread.getUncaughtExceptionHandler().uncaughtException(thread, new OutOfMemoryError("injected"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"webproxy I/O-2", "webproxy Accept"})
    @ExpectedLog(contains = "can't serve any more")
    void isSaidByTheStatusAndEndsTheWait(String name) throws Exception {
        try (ProxyServer server = start()) {
            assertThat(server.status().isHealthy()).isTrue();
            CompletableFuture<Void> wait = CompletableFuture.runAsync(() -> {
                try {
                    server.awaitClose();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            kill(thread(name));
            wait.get(30, TimeUnit.SECONDS);
            assertThat(server.status().isHealthy()).isFalse();
            assertThat(server.status().failure().orElseThrow())
                    .contains(name)
                    .contains("OutOfMemoryError")
                    .contains("started again");
        }
    }

    @Test
    void orderlyEndIsNoFailure() {
        ProxyServer server = start();
        server.close();
        await().until(() -> server.status().isHealthy());
        assertThat(server.status().failure()).isEmpty();
    }
}
