package io.webproxy.blackbox.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.spi.TunnelKey;
import io.webproxy.spi.UpstreamEventData;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.Told;
import io.webproxy.tls.CertificateContext;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Providers of certificates within a running server. */
@ExtendWith(LeakCheck.class)
class CertificateProviderTest {
    private static final String UPSTREAM = "http://127.0.0.1:1";

    private static TestProxy proxy(Front front, Certificates... sources) {
        return TestProxy.start(front, config -> config.forward(UPSTREAM).certificates(sources));
    }

    /** What openssl is shown that asks for a name, or with null for none. */
    private static String shown(TestProxy proxy, String name, String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of("openssl", "s_client", "-connect", "127.0.0.1:" + proxy.port()));
        command.addAll(name == null ? List.of("-noservername") : List.of("-servername", name));
        command.addAll(List.of(more));
        Peers.Outcome outcome = Peers.run(Duration.ofSeconds(10), command.toArray(new String[0]));
        return outcome.stdout()
                .lines()
                .filter(line -> line.startsWith("subject="))
                .map(line -> line.replaceAll("subject=CN *= *", ""))
                .findFirst()
                .orElse("nothing: " + outcome.stderr());
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void helloReachesTheProviderAndTheSecondOneChangesNothing(Front front) throws Exception {
        HeldProvider provider =
                new HeldProvider(HeldProvider.material("a.example"), HeldProvider.material("b.example"));
        try (TestProxy proxy = proxy(front, provider)) {
            assertThat(shown(proxy, "B.Example", "-alpn", "h2,http/1.1")).isEqualTo("b.example");
            ClientHello hello = provider.asked.remove();
            assertThat(hello.serverName()).hasValue("b.example");
            assertThat(hello.applicationProtocols()).containsExactly("h2", "http/1.1");
            assertThat(hello.localAddress().getAddress()).isEqualTo(InetAddress.getByName("127.0.0.1"));
            assertThat(hello.localAddress().getPort()).isEqualTo(proxy.port());
            assertThat(hello.keyTypes()).containsExactlyInAnyOrder("EC", "RSA");
            assertThat(provider.asked).as("asked once for a handshake").isEmpty();
            // a key share of a group that nobody has here makes the server ask for another hello
            assertThat(shown(proxy, "b.example", "-tls1_3", "-groups", "ffdhe2048:X25519"))
                    .isEqualTo("b.example");
            assertThat(provider.asked).hasSize(1);
            assertThat(shown(proxy, "b.example", "-tls1_2")).isEqualTo("b.example");
            provider.asked.clear();
            // who names no host, or one that nobody has anything for, gets the default
            assertThat(shown(proxy, null)).isEqualTo("a.example");
            assertThat(provider.asked.remove().serverName()).isEmpty();
            assertThat(provider.asked).isEmpty();
            assertThat(shown(proxy, "nobody.example")).isEqualTo("a.example");
            assertThat(provider.asked.remove().serverName()).hasValue("nobody.example");
            assertThat(provider.asked.remove().serverName()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void stopGapServesUntilTheProviderHasSomething(Front front) throws Exception {
        HeldProvider provider = new HeldProvider();
        try (TestProxy proxy =
                proxy(front, Certificates.firstOf(provider, Certificates.selfSigned("stop-gap.example")))) {
            assertThat(shown(proxy, "real.example")).isEqualTo("stop-gap.example");
            provider.held = List.of(HeldProvider.material("real.example"));
            Objects.requireNonNull(provider.context).changed();
            assertThat(shown(proxy, "real.example")).isEqualTo("real.example");
            assertThat(shown(proxy, "stop-gap.example")).isEqualTo("stop-gap.example");
            assertThat(shown(proxy, null)).isEqualTo("real.example");
        }
    }

    @Test
    void stopGapIsMadeOnlyWhereTheProviderHasNothing() throws Exception {
        HeldProvider provider = new HeldProvider(HeldProvider.material("*.example"));
        Certificates stopGap = Certificates.firstOf(provider, Certificates.selfSigned("stop-gap.example"));
        try (TestProxy proxy = proxy(Front.H1_TLS, stopGap)) {
            assertThat(shown(proxy, "stop-gap.example")).isEqualTo("*.example");
            assertThat(shown(proxy, "elsewhere.test")).isEqualTo("*.example");
            assertThat(proxy.server().status().certificates())
                    .as("the provider's")
                    .hasSize(1);
            provider.held = List.of();
            Objects.requireNonNull(provider.context).changed();
            assertThat(shown(proxy, "stop-gap.example")).isEqualTo("stop-gap.example");
            assertThat(proxy.server().status().certificates()).hasSize(2);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    @ExpectedLog(
            logger = "io.webproxy.tls",
            contains = "HeldProvider failed to select a certificate, which is logged once")
    void failureOfAProviderFailsThatHandshakeOnly(Front front) throws Exception {
        HeldProvider provider = new HeldProvider(HeldProvider.material("a.example"));
        try (TestProxy proxy = proxy(front, Certificates.selfSigned("own.example"), provider)) {
            provider.fails = new IllegalStateException("broken");
            assertThat(shown(proxy, "a.example")).contains("SSL alert number 80");
            assertThat(shown(proxy, "a.example")).contains("SSL alert number 80");
            assertThat(shown(proxy, "own.example")).isEqualTo("own.example");
            provider.fails = null;
            assertThat(shown(proxy, "a.example")).isEqualTo("a.example");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void namesThatASourceIsForAreTheOnlyOnes(Front front) throws Exception {
        HeldProvider provider = new HeldProvider(HeldProvider.material("*.example"));
        try (TestProxy proxy = proxy(
                front,
                Certificates.forNames(provider, "a.example"),
                Certificates.forNames(Certificates.selfSigned("address.test"), "127.0.0.1"),
                Certificates.forNames(Certificates.selfSigned("forged.test"), "*.deep.example"))) {
            assertThat(shown(proxy, "a.example")).isEqualTo("*.example");
            assertThat(shown(proxy, "x.deep.example")).isEqualTo("forged.test");
            assertThat(shown(proxy, null)).isEqualTo("address.test");
            provider.asked.clear();
            assertThat(shown(proxy, "b.example")).isEqualTo("address.test");
            assertThat(provider.asked).isEmpty();
        }
    }

    @Test
    void clientWithoutAnythingForItGetsAnAlert() throws Exception {
        for (Front front : List.of(Front.H1_TLS, Front.H1_TLS_JDK)) {
            try (TestProxy proxy = proxy(front, new HeldProvider())) {
                assertThat(shown(proxy, "a.example")).contains("SSL alert number 112");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1_TLS", "H1_TLS_JDK"})
    void hostWithoutARouteIs421UnlessAProviderHasACertificateForIt(Front front) throws Exception {
        HeldProvider provider =
                new HeldProvider(HeldProvider.material("a.example"), HeldProvider.material("b.example"));
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        front,
                        config -> config.route(r -> r.host("a.example").forward(upstream.uri()))
                                .certificates(new TestProxyIdentity(), provider));
                RawConnection client = proxy.raw()) {
            for (String[] each : new String[][] {
                {"a.example", "200"}, {"b.example", "404"}, {"localhost", "404"}, {"nobody.example", "421"}
            }) {
                client.send("GET / HTTP/1.1¶Host: " + each[0] + "¶¶");
                assertThat(client.readResponse()).as(each[0]).startsWith("HTTP/1.1 " + each[1]);
            }
        }
    }

    /** The chain that test clients trust, from a provider. */
    private static final class TestProxyIdentity implements CertificateProvider {
        @Override
        public @Nullable KeyMaterial select(ClientHello hello) {
            return hello.serverName().map(TestProxy.material()::covers).orElse(true) ? TestProxy.material() : null;
        }
    }

    @Test
    void lifeOfAProviderIsThatOfTheConfiguration() throws Exception {
        HeldProvider stays = new HeldProvider(HeldProvider.material("a.example"));
        HeldProvider goes = new HeldProvider();
        HeldProvider comes = new HeldProvider();
        CountDownLatch interrupted = new CountDownLatch(1);
        try (ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .redirectHttp(0)
                .https(0)
                .drainTime(Duration.ZERO)
                .certificates(Certificates.firstOf(stays, goes), stays)
                .forward(UPSTREAM)
                .start()) {
            CertificateContext context = Objects.requireNonNull(goes.context);
            assertThat(context.challenges().httpPort()).isEqualTo(port(proxy, 0));
            assertThat(context.challenges().httpsPort()).isEqualTo(port(proxy, 1));
            CountDownLatch working = new CountDownLatch(1);
            context.executor().execute(() -> {
                assertThat(Thread.currentThread().isDaemon()).isTrue();
                assertThat(Thread.currentThread().getName()).startsWith("webproxy-certificates-");
                working.countDown();
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    interrupted.countDown();
                }
            });
            assertThat(working.await(30, TimeUnit.SECONDS)).isTrue();

            HeldProvider broken = new HeldProvider();
            broken.failsToStart = new IllegalStateException("No account: give a contact.");
            assertThatThrownBy(() -> proxy.update(c -> c.certificates(stays, comes, broken)))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessage("No account: give a contact.");
            assertThat(comes.starts).hasValue(1);
            assertThat(comes.stops).hasValue(1);
            assertThat(stays.stops).hasValue(0);
            assertThat(goes.stops).hasValue(0);

            proxy.update(c -> c.certificates(stays, comes));
            assertThat(goes.stops).hasValue(1);
            assertThat(interrupted.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(comes.starts).hasValue(2);
            assertThat(stays.starts).hasValue(1);
        }
        for (HeldProvider provider : List.of(stays, goes)) {
            assertThat(provider.starts).hasValue(1);
            assertThat(provider.stops).hasValue(1);
        }
        assertThat(comes.stops).hasValue(2);
    }

    private static int port(ProxyServer proxy, int place) {
        return proxy.endpoints().get(place).address().getPort();
    }

    /** A provider that looks, while it starts, at which port a CA would reach the server. */
    private static final class Looking implements CertificateProvider {
        private final ToIntFunction<ChallengeResponder> look;
        private final boolean works;
        private volatile int seen;

        Looking(ToIntFunction<ChallengeResponder> look, boolean works) {
            this.look = look;
            this.works = works;
        }

        @Override
        public void start(CertificateContext context) throws IOException {
            seen = look.applyAsInt(context.challenges());
            if (!works) {
                throw new IOException("The store can't be read.");
            }
        }

        @Override
        public @Nullable KeyMaterial select(ClientHello hello) {
            return null;
        }
    }

    @Test
    void providerThatComesIsToldThePortsThatComeAndOthersThoseInForce() throws Exception {
        HeldProvider stays = new HeldProvider(HeldProvider.material("a.example"));
        Looking comes = new Looking(ChallengeResponder::httpPort, false);
        try (ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .https(0)
                .drainTime(Duration.ZERO)
                .certificates(stays)
                .forward(UPSTREAM)
                .start()) {
            assertThatThrownBy(() -> proxy.update(c -> c.http(0).certificates(stays, comes)))
                    .hasMessage("The store can't be read.");
            assertThat(comes.seen).isNotZero();
            assertThat(Objects.requireNonNull(stays.context).challenges().httpPort())
                    .as("after the update has failed")
                    .isZero();
        }
    }

    @Test
    void providerOfAServerThatOnlyATunnelLeadsToIsToldSoWhenItStarts(@TempDir Path directory) throws Exception {
        TunnelKey.obtain(directory, "agent");
        Looking provider = new Looking(ChallengeResponder::httpsPort, true);
        // a public server that says nothing
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ProxyServer.builder()
                    .tuning(t -> t.withIoThreads(2))
                    .drainTime(Duration.ZERO)
                    .tunnel(
                            "127.0.0.1:" + silent.getLocalPort(),
                            tunnel -> tunnel.identity(directory.resolve("agent"))
                                    .server("sha256:" + "0".repeat(64))
                                    .announceHttps("a.example"))
                    .certificates(provider)
                    .forward(UPSTREAM)
                    .start()
                    .close();
            assertThat(provider.seen).isEqualTo(silent.getLocalPort());
        }
    }

    @Test
    void providerThatCannotWorkKeepsTheServerFromStarting() {
        HeldProvider first = new HeldProvider();
        HeldProvider broken = new HeldProvider();
        broken.failsToStart = new java.io.IOException("The store /nowhere can't be read: give read permission.");
        assertThatThrownBy(() -> proxy(Front.H1_TLS, first, broken))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage("The store /nowhere can't be read: give read permission.");
        assertThat(first.stops).hasValue(1);
        broken.failsToStart = new IllegalStateException();
        assertThatThrownBy(() -> proxy(Front.H1_TLS, broken))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage("io.webproxy.testing.HeldProvider can't start: java.lang.IllegalStateException.");
    }

    @Test
    void statusAndEventsComeOut() throws Exception {
        HeldProvider provider = new HeldProvider();
        BlockingQueue<Told> events = new LinkedBlockingQueue<>();
        ProxyObserver observer = Told.to(events::add);
        try (TestProxy proxy = TestProxy.start(
                Front.H1_TLS,
                config -> config.forward(UPSTREAM)
                        .observer(ProxyObserver.async(observer, 10))
                        .certificates(
                                Certificates.firstOf(provider, Certificates.selfSigned("own.example", "192.0.2.1"))))) {
            List<CertificateStatus> status = proxy.server().status().certificates();
            assertThat(status).hasSize(2);
            assertThat(status.get(0).names()).containsExactly("wanted.example");
            assertThat(status.get(1).names()).containsExactly("own.example", "192.0.2.1");
            assertThat(status.get(1).issuer()).hasValue("CN=own.example");
            assertThat(status.get(1).notAfter()).isPresent();
            CertificateEvent event = CertificateEvent.of(List.of("x.example"), "Done.");
            ProxyObserver told = Objects.requireNonNull(provider.context).observer();
            told.upstreamDown(new UpstreamEventData("http://10.0.0.7", Optional.empty(), "is ignored"));
            for (Method method : ProxyObserver.class.getMethods()) {
                if (method.getName().startsWith("certificate")) {
                    method.invoke(told, event);
                    assertThat(events.poll(30, TimeUnit.SECONDS)).isEqualTo(new Told(method.getName(), event));
                }
            }
        }
    }
}
