package io.webproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.spi.AcceptedPasswords;
import io.webproxy.spi.ProxyEngine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class ProxyServerStartTest {
    private final List<Duration> drains = new ArrayList<>();

    /** An engine whose servers run, but can't say how. */
    private final class Mute implements ProxyEngine, ProxyEngine.Running {
        @Override
        public Running start(ProxyConfig config) {
            return this;
        }

        @Override
        public Authenticator basicAuth(AcceptedPasswords accepted, AuthDecision challenge) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ProxyStatus status() {
            throw new IllegalStateException("no status");
        }

        @Override
        public CompletionStage<String> failure() {
            return new CompletableFuture<>();
        }

        @Override
        public void update(ProxyConfig config) {}

        @Override
        public CompletionStage<Void> drain(Duration limit) {
            drains.add(limit);
            return CompletableFuture.completedFuture(null);
        }
    }

    @Test
    void serverThatNobodyGetsIsClosed() {
        ProxyConfig config =
                ProxyServer.builder().http(0).forward("http://127.0.0.1:1").build();
        assertThatThrownBy(() -> ProxyServer.start(config, new Mute())).hasMessage("no status");
        assertThat(drains).containsExactly(Duration.ZERO);
    }
}
