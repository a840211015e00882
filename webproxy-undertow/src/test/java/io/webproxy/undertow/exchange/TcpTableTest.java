package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The lines are those of a little-endian machine. */
@ExtendWith(LeakCheck.class)
class TcpTableTest {
    private static final String HEAD =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    private static final String LINE =
            "  17: 0100007F:20FB 0200007F:E6B2 01 00000A20:00000000 01:000007C8 00000005     0        0 1574 2"
                    + " 00000000793248be 100 0 0 10 0";
    private static final String MAPPED =
            "   0: 0000000000000000FFFF00000100007F:20FB 0000000000000000FFFF00000200007F:E6B2 01 00000001:00000000"
                    + " 04:0000017F 00000000     0        3 0 3 0";

    @BeforeAll
    static void littleEndian() {
        Assumptions.assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
    }

    private static @Nullable String key(String local, int port, String remote, int remotePort) throws Exception {
        return TcpTable.key(new InetSocketAddress(local, port), new InetSocketAddress(remote, remotePort));
    }

    @Test
    void retransmissionsAndProbesWithoutAnAnswerAreCounted() throws Exception {
        String key = Objects.requireNonNull(key("127.0.0.1", 8443, "127.0.0.2", 59058));
        assertThat(TcpTable.row(LINE)).isEqualTo(new TcpTable.Row(key, 5, false));
        assertThat(TcpTable.keyOf(LINE)).isEqualTo(key);
        assertThat(TcpTable.keyOf(MAPPED)).isEqualTo(key);
        assertThat(TcpTable.row(MAPPED)).isEqualTo(new TcpTable.Row(key, 3, false));
        assertThat(TcpTable.row(LINE.replace(" 01:000007C8", " 00:00000000")))
                .as("no timer runs")
                .isEqualTo(new TcpTable.Row(key, 0, false));
        assertThat(TcpTable.row(LINE.replace(" 01 00000A20", " 08 00000A20")))
                .as("the peer has ended its direction")
                .isEqualTo(new TcpTable.Row(key, 5, true));
        assertThat(key("2001:db8::1", 443, "2001:db8::2", 1))
                .isEqualTo("B80D0120000000000000000001000000:01BB B80D0120000000000000000002000000:0001");
    }

    @Test
    void whatIsNoConnectionIsNoRow() {
        assertThat(TcpTable.row(HEAD)).isNull();
        assertThat(TcpTable.keyOf(HEAD)).isNull();
        assertThat(TcpTable.keyOf("")).isNull();
        assertThat(TcpTable.row("")).isNull();
        assertThat(TcpTable.row("x ".repeat(10_000))).isNull();
        for (int i = 0; i < LINE.length(); i++) {
            TcpTable.row(LINE.substring(0, i));
            TcpTable.keyOf(LINE.substring(0, i));
            for (char c : "0fG: -".toCharArray()) {
                TcpTable.row(LINE.substring(0, i) + c + LINE.substring(i + 1));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1", "::1"})
    void connectionsOfThisMachineAreFound(String address) throws Exception {
        Assumptions.assumeTrue(Files.isReadable(Path.of("/proc/self/net/tcp6")));
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName(address));
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                RawConnection accepted = new RawConnection(server.accept())) {
            String key = TcpTable.key((InetSocketAddress) accepted.socket().getLocalSocketAddress(), (InetSocketAddress)
                    client.getLocalSocketAddress());
            assertThat(Files.readString(Path.of("/proc/self/net/tcp"))
                            .concat(Files.readString(Path.of("/proc/self/net/tcp6")))
                            .lines()
                            .map(TcpTable::row))
                    .contains(new TcpTable.Row(key, 0, false));
        }
    }
}
