package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The messages of the gRPC health protocol. */
class HealthStreamTest {
    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    @Test
    void requestNamesTheServiceOrNothing() {
        assertThat(bytes(HealthStream.request(""))).containsExactly(0, 0, 0, 0, 0);
        assertThat(bytes(HealthStream.request("a.B"))).containsExactly(0, 0, 0, 0, 5, 0x0a, 3, 'a', '.', 'B');
        byte[] large = bytes(HealthStream.request("x".repeat(300)));
        assertThat(Arrays.copyOf(large, 8)).containsExactly(0, 0, 0, 1, 47, 0x0a, (byte) 0xac, 2);
        assertThat(large).hasSize(5 + 303);
    }

    @ParameterizedTest
    @CsvSource({
        "00000000020801, true",
        "00000000020800, false",
        "00000000020802, false",
        "00000000020803, false",
        "0000000000, false",
        "01000000020801, false",
        "00000000030801, false",
        "0000000002080100, false",
        "000000000508011202aabb, false",
        "000000000608011202aabb, true",
        "0000000003080180, false",
        "'', false"
    })
    void onlyServingIsHealthy(String hex, boolean serving) {
        assertThat(HealthStream.isServing(ByteBuffer.wrap(HexFormat.of().parseHex(hex))))
                .isEqualTo(serving);
    }

    @Test
    void whateverComesIsJudged() {
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            byte[] message = new byte[random.nextInt(40)];
            random.nextBytes(message);
            ByteBuffer all = ByteBuffer.allocate(5 + message.length);
            all.put((byte) 0).putInt(message.length).put(message).flip();
            HealthStream.isServing(all);
        }
    }
}
