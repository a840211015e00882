package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyServer;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.RequestHead;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.tls.Certificates;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A server closes completely, whatever is thrown while it does. */
@ExtendWith(LeakCheck.class)
class CloseTest {
    /** What a release may throw. */
    private enum Thrown {
        EXCEPTION {
            @Override
            void now() {
                throw new IllegalStateException("thrown by a test");
            }
        },
        MISSING_CLASS {
            @Override
            void now() {
                throw new NoClassDefFoundError("thrown by a test");
            }
        },
        STACK_OVERFLOW {
            @Override
            void now() {
                throw new StackOverflowError("thrown by a test");
            }
        },
        OUT_OF_MEMORY {
            @Override
            void now() {
                throw new OutOfMemoryError("thrown by a test");
            }
        };

        abstract void now();
    }

    private static final class Stopped implements Authenticator {
        private final AtomicInteger stops = new AtomicInteger();
        private final Thrown thrown;

        Stopped(Thrown thrown) {
            this.thrown = thrown;
        }

        @Override
        public void stop() {
            stops.incrementAndGet();
            thrown.now();
        }

        @Override
        public CompletionStage<AuthDecision> authenticate(RequestHead request) {
            return CompletableFuture.completedFuture(AuthDecision.granted("user"));
        }
    }

    private static void closes(ProxyServer server) throws Exception {
        int port = server.endpoints().get(0).address().getPort();
        server.drain(Duration.ZERO).toCompletableFuture().get(30, TimeUnit.SECONDS);
        server.close();
        server.awaitClose();
        assertThatThrownBy(() -> RawConnection.open(port)).isInstanceOf(ConnectException.class);
    }

    @ParameterizedTest
    @EnumSource
    @ExpectedLog(contains = "failed to stop")
    void authenticatorThatFailsToStopHoldsNothingUp(Thrown thrown) throws Exception {
        Stopped one = new Stopped(thrown);
        Stopped other = new Stopped(thrown);
        closes(ProxyServer.builder()
                .bind("127.0.0.1")
                .http(0)
                .authenticator(one)
                .route(r -> r.authenticator(other).forward("http://127.0.0.1:1"))
                .start());
        assertThat(one.stops).hasValue(1);
        assertThat(other.stops).hasValue(1);
    }

    @ParameterizedTest
    @EnumSource
    @ExpectedLog(contains = "failed to stop")
    void providerThatFailsToStopHoldsNothingUp(Thrown thrown) throws Exception {
        AtomicInteger stops = new AtomicInteger();
        HeldProvider one = failing(stops, thrown);
        HeldProvider other = failing(stops, thrown);
        closes(ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .certificates(Certificates.firstOf(one, other))
                .forward("http://127.0.0.1:1")
                .start());
        assertThat(stops).hasValue(2);
    }

    private static HeldProvider failing(AtomicInteger stops, Thrown thrown) {
        HeldProvider provider = new HeldProvider(HeldProvider.material("localhost"));
        provider.whenStopped = () -> {
            stops.incrementAndGet();
            thrown.now();
        };
        return provider;
    }
}
