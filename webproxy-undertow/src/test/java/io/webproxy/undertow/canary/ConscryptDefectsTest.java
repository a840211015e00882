package io.webproxy.undertow.canary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.webproxy.testing.LeakCheck;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Principal;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import okhttp3.tls.HeldCertificate;
import org.conscrypt.Conscrypt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Conscrypt's engines. */
@ExtendWith(LeakCheck.class)
class ConscryptDefectsTest {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final long RECORD = 16 * 1024;
    private static final HeldCertificate HELD =
            new HeldCertificate.Builder().addSubjectAlternativeName("localhost").build();

    @BeforeEach
    void onlyWhereItLoads() {
        assumeTrue(Conscrypt.isAvailable());
    }

    private static SSLEngine server() throws Exception {
        return server(new StockTls.OneKey(HELD));
    }

    private static SSLEngine server(StockTls.OneKey keys) throws Exception {
        return server(StockTls.context(StockTls.conscrypt(), keys));
    }

    private static SSLEngine server(SSLContext context) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        return engine;
    }

    private static SSLEngine client(TrustManager... trust) throws Exception {
        return client(StockTls.context(StockTls.conscrypt(), null, trust));
    }

    private static SSLEngine client(SSLContext context) {
        SSLEngine engine = context.createSSLEngine("localhost", 443);
        engine.setUseClientMode(true);
        return engine;
    }

    private static SSLEngine client() throws Exception {
        return client(StockTls.trusting(HELD.certificate()));
    }

    @Test
    void closedEnginesKeepTheirDescriptors() throws Exception {
        int before = descriptors();
        List<SSLEngine> kept = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            SSLEngine engine = server();
            SSLEngine client = client();
            ByteBuffer hello = ByteBuffer.allocateDirect(1 << 15);
            client.wrap(NOTHING, hello);
            engine.unwrap(hello.flip(), ByteBuffer.allocateDirect(1 << 15));
            client.closeOutbound();
            client.closeInbound();
            engine.closeOutbound();
            engine.closeInbound();
            kept.add(engine);
        }

        // two each; what others leave behind may be closed meanwhile
        assertThat(descriptors() - before)
                .as("a closed engine gives its descriptors back: ReleasingSslEngine needn't empty it")
                .isGreaterThan(60);
        for (SSLEngine engine : kept) {
            while (!engine.isOutboundDone()) {
                engine.wrap(NOTHING, ByteBuffer.allocateDirect(1 << 15));
            }
        }
    }

    private static int descriptors() throws IOException {
        Path all = Path.of("/proc/self/fd");
        assumeTrue(Files.isDirectory(all));
        try (Stream<Path> each = Files.list(all)) {
            return (int) each.count();
        }
    }

    @Test
    void enginesKeepADirectBufferForHeapBuffers() throws Exception {
        long most = 0;
        // what others leave behind may be collected meanwhile
        for (int i = 0; i < 5 && most <= 4 * RECORD; i++) {
            most = Math.max(most, directBytesOfEightEngines());
        }

        assertThat(most)
                .as("an engine keeps no buffer of its own: RecordBuffers may go")
                .isGreaterThan(4 * RECORD);
    }

    /** By how much the memory outside of the heap grows when eight engines are each given a heap buffer. */
    private static long directBytesOfEightEngines() throws Exception {
        List<SSLEngine> kept = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            SSLEngine server = server();
            StockTls.talk(client(), server);
            kept.add(server);
        }
        ByteBuffer data = ByteBuffer.allocate(100);
        ByteBuffer net = ByteBuffer.allocate(1 << 15);
        long before = directBytes();
        for (SSLEngine engine : kept) {
            engine.wrap(data.clear(), net.clear());
        }
        long grown = directBytes() - before;
        closeAll(kept);
        return grown;
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    private static void closeAll(List<SSLEngine> engines) throws SSLException {
        for (SSLEngine engine : engines) {
            engine.closeOutbound();
            engine.closeInbound();
            while (!engine.isOutboundDone()) {
                engine.wrap(NOTHING, ByteBuffer.allocateDirect(1 << 15));
            }
        }
    }

    @Test
    void dataIsTakenForARecordThatDoesNotFit() throws Exception {
        SSLEngine server = server();
        // which go out before the first data
        Conscrypt.setUseSessionTickets(server, true);
        StockTls.talk(client(), server);
        SSLEngineResult result = server.wrap(ByteBuffer.allocateDirect(1000), ByteBuffer.allocateDirect(1200));

        assertThat(List.of(result.bytesConsumed(), result.bytesProduced()))
                .as("an engine says BUFFER_OVERFLOW before it takes data: ReleasingSslEngine needn't measure")
                .isEqualTo(List.of(1000, 0));
        closeAll(List.of(server));
    }

    @Test
    void sessionsAreResumedOnlyWhenToldSo() throws Exception {
        assertThat(certificatesShownInTwoHandshakes(true)).isEqualTo(1);
        assertThat(certificatesShownInTwoHandshakes(false))
                .as("tickets are on by default: ConscryptEngines needn't ask for them")
                .isEqualTo(2);
    }

    private static int certificatesShownInTwoHandshakes(boolean tickets) throws Exception {
        AtomicInteger shown = new AtomicInteger();
        SSLContext client = StockTls.context(null, null, new Lenient() {
            @Override
            public void checkServerTrusted(X509Certificate[] chain, String authType, @Nullable SSLEngine engine) {
                shown.incrementAndGet();
            }
        });
        SSLContext server = StockTls.context(StockTls.conscrypt(), new StockTls.OneKey(HELD));
        for (int i = 0; i < 2; i++) {
            SSLEngine serving = server(server);
            Conscrypt.setUseSessionTickets(serving, tickets);
            SSLEngine asking = client(client);
            StockTls.talk(asking, serving);
            // tickets come with the first data
            ByteBuffer net = ByteBuffer.allocateDirect(1 << 15);
            serving.wrap(ByteBuffer.wrap(new byte[10]), net);
            StockTls.move(serving, asking, net);
            closeAll(List.of(serving));
        }
        return shown.get();
    }

    @Test
    void weakSuitesAreEnabled() throws Exception {
        SSLEngine server = server();

        assertThat(server.getEnabledCipherSuites())
                .as("only suites with forward secrecy and AEAD are on: ServerContexts needn't choose")
                .anyMatch(suite -> suite.contains("_CBC_"));
        closeAll(List.of(server));
    }

    @Test
    void keysOfAllTypesAreAskedForAndNoProtocolIsKnown() throws Exception {
        List<String> types = new ArrayList<>();
        List<String> protocols = new ArrayList<>();
        SSLEngine server = server(new StockTls.OneKey(HELD) {
            @Override
            public @Nullable String chooseEngineServerAlias(
                    String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
                types.add(keyType);
                protocols.add(String.valueOf(engine == null ? null : engine.getHandshakeApplicationProtocol()));
                return super.chooseEngineServerAlias(keyType, issuers, engine);
            }
        });
        SSLEngine client = client();
        for (SSLEngine engine : List.of(client, server)) {
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            engine.setSSLParameters(parameters);
        }
        StockTls.talk(client, server);

        assertThat(server.getApplicationProtocol()).isEqualTo("h2");
        assertThat(types)
                .as("a key manager is asked for one key after the other, until it has one: HandshakeKeys needn't"
                        + " filter")
                .hasSizeGreaterThan(1);
        assertThat(protocols)
                .as("a key manager knows the protocol: TlsChallenges needn't look at the ClientHello")
                .containsOnly("null");
        closeAll(List.of(server, client));
    }

    @Test
    void namesThatSniCannotCarryMakeItThrow() throws Exception {
        SSLEngine client =
                StockTls.context(StockTls.conscrypt(), null, new Lenient()).createSSLEngine("a..b", 443);
        client.setUseClientMode(true);

        assertThatThrownBy(client::getSSLParameters)
                .as("a name that is none of SNI does no harm: ConscryptEngines needn't take it away")
                .isInstanceOf(RuntimeException.class);
        closeAll(List.of(client));
    }

    @Test
    void authTypeOfTls13IsOneTheJdkDoesNotKnow() throws Exception {
        List<String> types = new ArrayList<>();
        SSLEngine server = server();
        SSLEngine client = client(new Lenient() {
            @Override
            public void checkServerTrusted(X509Certificate[] chain, String authType, @Nullable SSLEngine engine) {
                types.add(authType);
            }
        });
        StockTls.talk(client, server);

        assertThat(types)
                .as("the authentication has a name that the JDK knows: NamedAuthType may go")
                .containsExactly("GENERIC");
        closeAll(List.of(server, client));
    }

    @Test
    void closeNotifyEndsBothDirections() throws Exception {
        SSLEngine server = server();
        SSLEngine client = client();
        StockTls.talk(client, server);
        client.closeOutbound();
        StockTls.move(client, server, ByteBuffer.allocateDirect(1 << 15));
        SSLEngineResult result = server.wrap(ByteBuffer.allocateDirect(10), ByteBuffer.allocateDirect(1 << 15));

        assertThat(result.getStatus())
                .as("what is left can be written after the other side's close_notify: half-close works over Conscrypt")
                .isEqualTo(Status.CLOSED);
        closeAll(List.of(server, client));
    }

    @Test
    void noProtocolIsNull() throws Exception {
        SSLEngine server = server();
        SSLEngine client = client();
        StockTls.talk(client, server);

        assertThat(server.getApplicationProtocol())
                .as("no protocol is the empty text, as SSLEngine says: ReleasingSslEngine needn't tell it")
                .isNull();
        closeAll(List.of(server, client));
    }

    /** Trusts everybody. */
    private static class Lenient extends X509ExtendedTrustManager {
        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, @Nullable SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, @Nullable Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, @Nullable SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, @Nullable Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
