package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.BulkBuffers;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.conscrypt.Conscrypt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class ReleasingSslEngineTest {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    @TempDir
    Path directory;

    private ServerTls server;
    private ClientTls client;

    @BeforeEach
    void serve() throws Exception {
        assumeTrue(Conscrypt.isAvailable());
        TestKeys keys = new TestKeys(directory);
        server = ServerTls.create(List.of(keys.ec("localhost")), TlsProvider.AUTO);
        client = ClientTls.create(TestKeys.trusting(Optional.of(keys.trust)), TlsProvider.AUTO);
    }

    private TlsPair pair() {
        return new TlsPair(client.sslContext().createSSLEngine("localhost", 443), server);
    }

    private static int descriptors() throws IOException {
        Path all = Path.of("/proc/self/fd");
        assumeTrue(Files.isDirectory(all));
        try (Stream<Path> each = Files.list(all)) {
            return (int) each.count();
        }
    }

    private static ByteBuffer direct(int size) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(size);
        while (buffer.hasRemaining()) {
            buffer.put((byte) (buffer.position() * 31 + size));
        }
        return buffer.flip();
    }

    @Test
    void closedEnginesHoldNoDescriptors() throws Exception {
        int before = descriptors();
        List<TlsPair> kept = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            TlsPair pair = pair().handshake();
            pair.close();
            kept.add(pair);
        }
        assertThat(descriptors() - before).isLessThan(20);
        assertThat(kept)
                .allMatch(pair -> !pair.server.getSession().getCipherSuite().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"new", "begun", "hello", "flight", "failed", "unread", "notified"})
    void engineClosedInAnyStateHoldsNoDescriptors(String state) throws Exception {
        int before = descriptors();
        List<TlsPair> kept = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            TlsPair pair = pair();
            kept.add(pair);
            bringTo(pair, state);
            pair.close();
        }
        assertThat(descriptors() - before).isLessThan(20);
        assertThat(kept).hasSize(50);
    }

    private static void bringTo(TlsPair pair, String state) throws SSLException {
        ByteBuffer scratch = ByteBuffer.allocateDirect(1 << 15);
        switch (state) {
            case "begun" -> pair.server.unwrap(NOTHING, scratch);
            case "hello" -> pair.client.wrap(NOTHING, pair.toServer);
            case "flight" -> {
                pair.client.wrap(NOTHING, pair.toServer);
                TlsPair.unwrap(pair.server, pair.toServer, scratch);
            }
            case "failed" -> {
                ByteBuffer garbage = ByteBuffer.wrap(
                        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(9).getBytes(StandardCharsets.US_ASCII));
                assertThatThrownBy(() -> pair.server.unwrap(garbage, scratch)).isInstanceOf(SSLException.class);
            }
            case "unread" -> {
                pair.handshake();
                pair.client.wrap(direct(1000), pair.toServer);
                SSLEngineResult result = pair.server.unwrap(pair.toServer.flip(), ByteBuffer.allocateDirect(10));
                assertThat(result.getStatus()).isEqualTo(Status.BUFFER_OVERFLOW);
            }
            case "notified" -> {
                pair.handshake();
                pair.client.closeOutbound();
                pair.client.wrap(NOTHING, pair.toServer);
                TlsPair.unwrap(pair.server, pair.toServer, scratch);
                assertThat(pair.server.isInboundDone()).isTrue();
            }
            default -> assertThat(state).isEqualTo("new");
        }
    }

    @Test
    void failedEngineHoldsNoDescriptorsThoughNobodyClosesIt() throws Exception {
        int before = descriptors();
        List<TlsPair> kept = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            TlsPair pair = pair();
            kept.add(pair);
            bringTo(pair, "failed");
            pair.client.closeOutbound();
        }
        assertThat(descriptors() - before).isLessThan(20);
        assertThat(kept).hasSize(50);
    }

    /** As Undertow's SslConduit does when the client has closed first: inbound, outbound, and only then it wraps. */
    @Test
    void goodByeIsNotLostWhenWrappedAfterBothSidesAreClosed() throws Exception {
        TlsPair pair = pair().handshake();
        pair.server.closeInbound();
        pair.server.closeOutbound();
        assertThat(pair.server.isOutboundDone()).isFalse();

        ByteBuffer tooSmall = ByteBuffer.allocate(5);
        assertThat(pair.server.wrap(NOTHING, tooSmall).getStatus()).isEqualTo(Status.BUFFER_OVERFLOW);
        SSLEngineResult farewell = pair.server.wrap(NOTHING, pair.toClient);
        assertThat(farewell.getStatus()).isEqualTo(Status.CLOSED);
        assertThat(farewell.getHandshakeStatus()).isEqualTo(HandshakeStatus.NOT_HANDSHAKING);
        assertThat(farewell.bytesProduced()).isPositive();
        assertThat(pair.server.isOutboundDone()).isTrue();
        assertThat(pair.server.wrap(NOTHING, pair.toClient).bytesProduced()).isZero();

        TlsPair.unwrap(pair.client, pair.toClient, ByteBuffer.allocateDirect(1 << 15));
        assertThat(pair.client.isInboundDone()).isTrue();
        pair.close();
        pair.close();
    }

    @Test
    void clientMayStillBeReadAfterOutboundIsClosed() throws Exception {
        TlsPair pair = pair().handshake();
        pair.server.closeOutbound();
        assertThat(pair.server.wrap(NOTHING, pair.toClient).bytesProduced()).isPositive();
        pair.client.wrap(direct(100), pair.toServer);
        ByteBuffer plain = ByteBuffer.allocateDirect(1 << 15);
        TlsPair.unwrap(pair.server, pair.toServer, plain);
        assertThat(plain.position()).isEqualTo(100);
        pair.close();
    }

    @Test
    void alertOfAFailedHandshakeIsNotLost() throws Exception {
        TlsPair pair = new TlsPair(client.sslContext().createSSLEngine("other.example.com", 443), server);
        assertThatThrownBy(pair::handshake).isInstanceOf(SSLException.class);
        assertThat(pair.client.wrap(NOTHING, pair.toServer).bytesProduced()).isPositive();
        pair.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 16 * 1024, 16 * 1024 + 325, 17 * 1024, 1 << 16})
    void dataArrivesWholeAndInOrderWhateverTheBuffers(int network) throws Exception {
        TlsPair pair = pair().handshake();
        ByteBuffer expected = ByteBuffer.allocate(1 << 20);
        List<ByteBuffer> sources = new ArrayList<>();
        for (int size : new int[] {0, 1, 200, 0, 16384, 5, 40000, 16383, 7, 7, 7, 100_000, 0}) {
            ByteBuffer source = sources.size() % 3 == 2
                    ? ByteBuffer.allocate(size).put(direct(size)).flip()
                    : direct(size);
            expected.put(source.duplicate());
            sources.add(source);
        }
        ByteBuffer[] all = sources.toArray(new ByteBuffer[0]);
        ByteBuffer actual = ByteBuffer.allocate(1 << 20);
        ByteBuffer wire = ByteBuffer.allocateDirect(network);
        while (Stream.of(all).anyMatch(ByteBuffer::hasRemaining)) {
            long before = remaining(all);
            SSLEngineResult result = pair.server.wrap(all, 0, all.length, wire);
            assertThat(result.getStatus()).isEqualTo(Status.OK);
            assertThat(result.bytesConsumed()).isPositive().isEqualTo((int) (before - remaining(all)));
            assertThat(result.bytesProduced()).isPositive();
            pair.toClient.put(wire.flip());
            wire.clear();
            TlsPair.unwrap(pair.client, pair.toClient, actual);
        }
        assertThat(actual.flip()).isEqualTo(expected.flip());
        pair.close();
    }

    @Test
    void largeBufferIsFilledWithRecords() throws Exception {
        TlsPair pair = pair().handshake();
        ByteBuffer data = direct(BulkBuffers.SIZE);
        ByteBuffer wire = ByteBuffer.allocateDirect(BulkBuffers.SIZE + 2048);
        ByteBuffer actual = ByteBuffer.allocate(BulkBuffers.SIZE);
        // the first comes with session tickets
        for (int each : new int[] {1, 16_384, 16_385, BulkBuffers.SIZE}) {
            ByteBuffer source = data.duplicate().limit(each);
            SSLEngineResult result = pair.server.wrap(source, wire.clear());
            assertThat(result.getStatus()).isEqualTo(Status.OK);
            assertThat(result.bytesConsumed()).isEqualTo(each);
            assertThat(result.bytesProduced()).isEqualTo(wire.position());
            TlsPair.unwrap(pair.client, wire, actual.clear());
            assertThat(actual.flip()).isEqualTo(data.duplicate().limit(each));
        }
        SSLEngineResult part = pair.server.wrap(data.duplicate(), wire.clear().limit(40_000));
        assertThat(part.bytesConsumed()).isEqualTo(2 * 16_384);
        pair.close();
    }

    private static long remaining(ByteBuffer[] buffers) {
        return Stream.of(buffers).mapToLong(ByteBuffer::remaining).sum();
    }

    @Test
    void partOfAnArrayIsWrapped() throws Exception {
        TlsPair pair = pair().handshake();
        ByteBuffer[] all = {direct(10), direct(20), direct(30), direct(40)};
        SSLEngineResult result = pair.server.wrap(all, 1, 2, pair.toClient);
        assertThat(result.bytesConsumed()).isEqualTo(50);
        assertThat(Stream.of(all).map(ByteBuffer::remaining)).containsExactly(10, 0, 0, 40);
        assertThatThrownBy(() -> pair.server.wrap(all, 3, 2, pair.toClient))
                .isInstanceOf(IndexOutOfBoundsException.class);
        pair.close();
    }

    @Test
    void noBufferStaysWithAConnection() throws Exception {
        BufferPoolMXBean pool = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(each -> each.getName().equals("direct"))
                .findFirst()
                .orElseThrow();
        ByteBuffer head = direct(200);
        ByteBuffer heapBody = ByteBuffer.allocate(1000);
        ByteBuffer wire = ByteBuffer.allocateDirect(1 << 15);
        List<TlsPair> kept = new ArrayList<>();
        pair().close();
        for (int i = 0; i < 50; i++) {
            kept.add(pair().handshake());
        }
        long before = pool.getMemoryUsed();
        for (TlsPair pair : kept) {
            pair.server.wrap(new ByteBuffer[] {head.duplicate(), heapBody.duplicate()}, wire.clear());
            pair.server.wrap(heapBody.duplicate(), ByteBuffer.allocate(1 << 15));
        }
        assertThat(pool.getMemoryUsed() - before).isLessThan(100_000);
        for (TlsPair pair : kept) {
            pair.close();
        }
    }

    @Test
    void tooSmallABufferTakesNothing() throws Exception {
        TlsPair pair = pair().handshake();
        ByteBuffer wire = ByteBuffer.allocate(50);
        ByteBuffer data = direct(10);
        assertThat(pair.server.wrap(data, wire).getStatus()).isEqualTo(Status.BUFFER_OVERFLOW);
        assertThat(data.remaining()).isEqualTo(10);
        pair.close();
    }
}
