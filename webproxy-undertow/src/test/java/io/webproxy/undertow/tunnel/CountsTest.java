package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.AddressRange;
import io.webproxy.tunnel.TunnelServer;
import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CountsTest {
    private static final Message.Item SILENT = Message.Item.name("silent.example.com");
    private static final Message.Item OTHER = Message.Item.name("other.example.com");

    private final Counts counts =
            new Counts(TunnelServer.agents(Path.of("agents")).withWaiting(1_000));

    private static AddressRange client(int last) throws Exception {
        return AddressRange.clientOf(InetAddress.getByAddress(new byte[] {10, 0, (byte) (last >> 8), (byte) last}));
    }

    @Test
    void agentThatAnswersNothingLeavesOthersHalfOfWhatMayWait() throws Exception {
        for (int i = 0; i < 500; i++) {
            assertThat(counts.enter(client(i), SILENT, 0)).isNull();
        }
        assertThat(counts.enter(client(500), SILENT, 0)).isNotNull();
        assertThat(counts.enter(client(500), OTHER, 0)).isNull();
        assertThat(counts.waiting()).isEqualTo(501);
        counts.settled(client(0), SILENT);
        assertThat(counts.enter(client(501), SILENT, 0)).isNull();
    }

    @Test
    void addressWhoseClientsAllWaitLeavesOthersHalfOfWhatMayWait() throws Exception {
        for (int i = 0; i < 500; i++) {
            assertThat(counts.enter(client(1), i % 2 == 0 ? SILENT : OTHER, 0)).isNull();
        }
        assertThat(counts.enter(client(1), OTHER, 0)).isNotNull();
        assertThat(counts.enter(client(2), OTHER, 0)).isNull();
        for (int i = 0; i < 500; i++) {
            counts.settled(client(1), i % 2 == 0 ? SILENT : OTHER);
            counts.leave(client(1), i % 2 == 0 ? SILENT : OTHER);
        }
        counts.settled(client(2), OTHER);
        counts.leave(client(2), OTHER);
        assertThat(counts.waiting()).isZero();
        assertThat(counts.all()).isZero();
    }
}
