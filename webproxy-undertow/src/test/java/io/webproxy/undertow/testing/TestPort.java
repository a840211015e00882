package io.webproxy.undertow.testing;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStatus;
import io.webproxy.ServerStarts;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.PortBuilder;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.server.RunningProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;

/** A server with one port, named {@code port}, that several protocols share. */
public final class TestPort implements AutoCloseable {
    /** No client is silent because its test is late, unless a rule says so. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final ProxyServer server;

    private TestPort(ProxyServer server) {
        this.server = server;
    }

    /** A server without routes. */
    public static TestPort start(TlsProvider provider, Consumer<PortBuilder> rules) {
        return start(provider, rules, config -> {});
    }

    /** A server with whatever else is configured. */
    public static TestPort start(
            TlsProvider provider, Consumer<PortBuilder> rules, Consumer<ProxyConfig.Builder> more) {
        return start(provider, rules, more, ProxyConfig::start);
    }

    /** A server with one IO thread, whose limits go by a clock that a test turns. */
    public static TestPort start(
            TlsProvider provider, TestClock clock, Consumer<PortBuilder> rules, Consumer<ProxyConfig.Builder> more) {
        return start(
                provider,
                rules,
                more.andThen(builder -> builder.tuning(t -> t.withIoThreads(1))),
                config -> ServerStarts.start(config, ordinary -> RunningProxy.start(ordinary, clock)));
    }

    private static TestPort start(
            TlsProvider provider,
            Consumer<PortBuilder> rules,
            Consumer<ProxyConfig.Builder> more,
            Function<ProxyConfig, ProxyServer> start) {
        ProxyConfig.Builder config = ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .jdkTls(provider == TlsProvider.JDK)
                .listen(0, port -> rules.accept(port.name("port").detectTime(PATIENCE)));
        more.accept(config);
        return new TestPort(start.apply(config.build()));
    }

    /** Replaces its rules. */
    public void update(Consumer<PortBuilder> rules) {
        server.update(config ->
                config.listen(0, port -> rules.accept(port.name("port").detectTime(PATIENCE))));
    }

    public ProxyServer server() {
        return server;
    }

    public int port() {
        return server.endpoints().get(0).address().getPort();
    }

    public String endpointName() {
        return server.endpoints().get(0).name();
    }

    public RawConnection open() throws IOException {
        return RawConnection.open(port());
    }

    /** Over TLS, naming no host, to what serves {@link TestProxy#certificates()}. */
    public RawConnection tls(String... alpn) throws IOException {
        return RawConnection.openTls(port(), TestProxy.newSockets(), alpn);
    }

    /** Over TLS for a host that is named. */
    public RawConnection tlsFor(String host, String... alpn) throws IOException {
        return RawConnection.openTlsFor(host, port(), TestProxy.newSockets(), alpn);
    }

    /** What was counted of a rule. */
    public ProxyStatus.Rule rule(String name) {
        return server.status().rules().stream()
                .filter(rule -> rule.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** How many connections no rule has taken for a reason. */
    public long undetected(RelayEnd why) {
        return server.status().undetected().get(endpointName()).getOrDefault(why, 0L);
    }

    @Override
    public void close() {
        server.close();
    }
}
