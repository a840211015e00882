package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.RequestHead;
import io.webproxy.undertow.auth.AuthRuntime;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class AuthenticatorsTest {
    private static final class Counted implements Authenticator {
        final AtomicInteger starts = new AtomicInteger();
        final AtomicInteger stops = new AtomicInteger();
        BooleanSupplier failing = () -> false;

        @Override
        public void start(ScheduledExecutorService executor) {
            if (failing.getAsBoolean()) {
                throw new NoClassDefFoundError("a library that isn't there");
            }
            starts.incrementAndGet();
        }

        @Override
        public void stop() {
            stops.incrementAndGet();
        }

        @Override
        public CompletionStage<AuthDecision> authenticate(RequestHead request) {
            return CompletableFuture.completedFuture(AuthDecision.granted("nobody"));
        }
    }

    private static ProxyConfig config(Authenticator ofServer, Authenticator ofRoute) {
        return ProxyServer.builder()
                .http(0)
                .authenticator(ofServer)
                .route(r -> r.authenticator(ofRoute).forward("http://127.0.0.1:1"))
                .build();
    }

    @Test
    void oneThatCantEvenStartStopsTheOthers() {
        try (AuthRuntime runtime = new AuthRuntime()) {
            Authenticators authenticators = new Authenticators(runtime);
            Counted one = new Counted();
            Counted other = new Counted();
            AtomicInteger turns = new AtomicInteger();
            one.failing = () -> turns.getAndIncrement() > 0;
            other.failing = one.failing;
            assertThatThrownBy(() -> authenticators.prepare(config(one, other)))
                    .isInstanceOf(NoClassDefFoundError.class);
            assertThat(one.starts.get() + other.starts.get()).isEqualTo(1);
            assertThat(one.stops.get() + other.stops.get()).isEqualTo(1);
        }
    }

    @Test
    void oneThatIsNotNamedAnyMoreRunsOnUntilAllElseHasFinished() {
        try (AuthRuntime runtime = new AuthRuntime()) {
            Authenticators authenticators = new Authenticators(runtime);
            Counted stays = new Counted();
            Counted goes = new Counted();
            Counted comes = new Counted();
            Change first = authenticators.prepare(config(stays, goes));
            first.commit();
            first.finish();
            authenticators.prepare(config(stays, comes)).rollBack();
            assertThat(comes.starts).hasValue(1);
            assertThat(comes.stops).hasValue(1);
            Change second = authenticators.prepare(config(stays, comes));
            Change end = authenticators.ends().prepare(config(stays, comes));
            second.commit();
            end.commit();
            second.finish();
            assertThat(goes.stops).hasValue(0);
            end.finish();
            assertThat(goes.stops).hasValue(1);
            authenticators.close();
            assertThat(stays.starts).hasValue(1);
            assertThat(stays.stops).hasValue(1);
            assertThat(goes.stops).hasValue(1);
            assertThat(comes.stops).hasValue(2);
        }
    }
}
