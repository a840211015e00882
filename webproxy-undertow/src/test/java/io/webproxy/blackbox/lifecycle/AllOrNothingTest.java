package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.port.Endpoint;
import io.webproxy.route.Upstream;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A start or an update that fails, whichever part of the server it is that can't, changes nothing and leaves nothing
 * behind.
 */
@ExtendWith(LeakCheck.class)
class AllOrNothingTest {
    private static final String GET = "GET / HTTP/1.1¶Host: localhost¶¶";
    private static final Path MISSING = Path.of("/nowhere/missing.pem");

    @TempDir
    private Path directory;

    private ServerSocket taken;

    /** All that a configuration brings before the part that fails, and after it. */
    private final Counted authenticator = new Counted();

    private final HeldProvider provider = new HeldProvider(HeldProvider.material("provided.example"));

    private static final class Counted implements Authenticator {
        private final AtomicInteger starts = new AtomicInteger();
        private final AtomicInteger stops = new AtomicInteger();
        private Runnable whenStarted = () -> {};

        @Override
        public void start(ScheduledExecutorService executor) {
            // a thread that nobody ends is a leak
            executor.execute(() -> {});
            whenStarted.run();
            starts.incrementAndGet();
        }

        @Override
        public void stop() {
            stops.incrementAndGet();
        }

        @Override
        public CompletionStage<AuthDecision> authenticate(RequestHead request) {
            return CompletableFuture.completedFuture(AuthDecision.granted("user"));
        }
    }

    private enum Failing {
        PORT,
        OWN_ENDPOINT,
        CERTIFICATE,
        UPSTREAM_KEY,
        TUNNEL_KEY,
        AUTHENTICATOR_IN_A_SENTENCE,
        AUTHENTICATOR_UNCHECKED,
        AUTHENTICATOR_CHECKED,
        AUTHENTICATOR_ERROR,
        PROVIDER
    }

    @BeforeEach
    void takeAPort() throws IOException {
        taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void letItGo() throws IOException {
        taken.close();
    }

    private void configure(Failing what, ProxyConfig.Builder builder) {
        builder.http(0)
                .https(0)
                .route(r -> r.name("guarded")
                        .path("/guarded")
                        .authenticator(authenticator)
                        .answer(Answer.text(200, "guarded")));
        builder.certificates(TestProxy.certificates(), provider);
        switch (what) {
            case PORT -> builder.http(taken.getLocalPort());
            case OWN_ENDPOINT ->
                builder.http(taken.getLocalPort())
                        .route(r -> r.path("/own").forward("http://localhost:" + taken.getLocalPort()));
            case CERTIFICATE ->
                builder.certificates(TestProxy.certificates(), provider, Certificates.pem(MISSING, MISSING));
            case UPSTREAM_KEY ->
                builder.route(r -> r.path("/upstream")
                        .forward(Upstream.of("https://127.0.0.1:1").withIdentity(Certificates.pem(MISSING, MISSING))));
            case TUNNEL_KEY ->
                builder.tunnel(
                        "127.0.0.1:1",
                        tunnel -> tunnel.identity(directory.resolve("missing"))
                                .server("sha256:" + "0".repeat(64))
                                .announce("a.example", "127.0.0.1:1"));
            case AUTHENTICATOR_IN_A_SENTENCE -> throwing(builder, new IllegalArgumentException("No users."));
            case AUTHENTICATOR_UNCHECKED -> throwing(builder, new IllegalStateException("unchecked"));
            case AUTHENTICATOR_CHECKED -> throwing(builder, new IOException("checked"));
            case AUTHENTICATOR_ERROR -> throwing(builder, new NoClassDefFoundError("an error"));
            case PROVIDER -> {
                HeldProvider broken = new HeldProvider();
                broken.failsToStart = new IOException("The store can't be read.");
                builder.certificates(TestProxy.certificates(), provider, broken);
            }
        }
    }

    private static void throwing(ProxyConfig.Builder builder, Throwable thrown) {
        Counted failing = new Counted();
        failing.whenStarted = () -> AllOrNothingTest.<RuntimeException>unchecked(thrown);
        builder.authenticator(failing);
    }

    /** As other languages do, which know no checked exceptions. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    private static void assertIsThatOf(Failing what, @Nullable Throwable thrown) {
        switch (what) {
            case AUTHENTICATOR_UNCHECKED -> assertThat(thrown).isInstanceOf(IllegalStateException.class);
            case AUTHENTICATOR_CHECKED -> assertThat(thrown).isInstanceOf(IOException.class);
            case AUTHENTICATOR_ERROR -> assertThat(thrown).isInstanceOf(NoClassDefFoundError.class);
            default ->
                assertThat(thrown)
                        .isInstanceOf(ProxyStartException.class)
                        .hasMessageEndingWith(".")
                        .hasMessageNotContaining("\n");
        }
    }

    private void assertNothingRuns() {
        assertThat(authenticator.stops).hasValue(authenticator.starts.get());
        assertThat(provider.stops).hasValue(provider.starts.get());
    }

    @ParameterizedTest
    @EnumSource
    void startThatFailsLeavesNothingBehind(Failing what) {
        ProxyConfig.Builder builder = ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO);
        configure(what, builder);
        // threads and descriptors are LeakCheck's to see
        assertIsThatOf(what, catchThrowable(builder::start));
        assertNothingRuns();
    }

    @ParameterizedTest
    @EnumSource
    void updateThatFailsChangesNothing(Failing what) throws Exception {
        Counted stays = new Counted();
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.authenticator(stays).route(r -> r.name("here").answer(Answer.text(200, "here"))));
                RawConnection kept = proxy.raw()) {
            assertThat(kept.send(GET).readResponse()).endsWith("here");
            ProxyConfig before = proxy.server().config();
            List<Endpoint> endpoints = proxy.server().endpoints();
            assertIsThatOf(what, catchThrowable(() -> proxy.server().update(b -> configure(what, b))));
            assertNothingRuns();
            assertThat(proxy.server().config()).isSameAs(before);
            assertThat(proxy.server().endpoints()).isEqualTo(endpoints);
            assertThat(proxy.server().status().tlsProvider()).isEmpty();
            assertThat(stays.starts).hasValue(1);
            assertThat(stays.stops).hasValue(0);
            assertThat(kept.send(GET).readResponse()).endsWith("here");
            // and what it has prepared is in nobody's way
            proxy.server().update(b -> b.http(0).https(0).certificates(TestProxy.certificates()));
            assertThat(proxy.server().endpoints()).hasSize(3);
            try (RawConnection other = proxy.raw()) {
                assertThat(other.send(GET).readResponse()).endsWith("here");
            }
        }
    }

    @Test
    void updateThatIsStillPreparingWhenTheServerClosesChangesNothing() throws Exception {
        CountDownLatch preparing = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        TestProxy proxy = TestProxy.start(Front.H1, b -> b.route(r -> r.answer(Answer.text(200, "here"))));
        int port = proxy.port();
        authenticator.whenStarted = () -> {
            preparing.countDown();
            try {
                assertThat(released.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        };
        CompletableFuture<@Nullable Throwable> update = CompletableFuture.supplyAsync(() ->
                catchThrowable(() -> proxy.server().update(b -> b.http(0).authenticator(authenticator))));
        assertThat(preparing.await(30, TimeUnit.SECONDS)).isTrue();
        proxy.server().drain(Duration.ZERO).toCompletableFuture().get(30, TimeUnit.SECONDS);
        released.countDown();
        assertThat(update.get(30, TimeUnit.SECONDS))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage("The server is closed: start another one.");
        assertThat(authenticator.starts).hasValue(1);
        assertThat(authenticator.stops).hasValue(1);
        assertThatThrownBy(() -> RawConnection.open(port)).isInstanceOf(ConnectException.class);
        proxy.close();
    }
}
