package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.util.HeaderMap;
import java.nio.ByteBuffer;
import java.util.Date;
import org.junit.jupiter.api.Test;

class RefusalHeadTest {
    private static final Date THEN = new Date(784_111_777_000L);

    private static ClientSettings table(int... sizes) {
        ClientSettings all = ClientSettings.NONE;
        for (int size : sizes) {
            all = ClientSettings.of(ByteBuffer.allocate(6)
                            .putShort((short) 1)
                            .putInt(size)
                            .flip())
                    .after(all);
        }
        return all;
    }

    private static ByteBuffer block(int... sizes) {
        ByteBuffer frame = RefusalHead.of(7, table(sizes), THEN);
        FrameHead head = FrameHead.of(frame);
        assertThat(head).isEqualTo(new FrameHead(frame.remaining(), FrameHead.HEADERS, FrameHead.END_HEADERS, 7));
        return frame;
    }

    @Test
    void saysTheStatusAndTheTime() throws Exception {
        for (int[] sizes : new int[][] {{}, {0}, {30}, {31}, {160}, {4095}, {4096}, {65_536}, {100, 100}, {4096, 70}}) {
            HpackDecoder decoder = new HpackDecoder(4096);
            HeaderMap fields = new HeaderMap();
            decoder.setHeaderEmitter((name, value, neverIndex) -> fields.add(name, value));
            decoder.decode(block(sizes), false);
            assertThat(fields.toString()).isEqualTo("{:status=[400], date=[Sun, 06 Nov 1994 08:49:37 GMT]}");
        }
    }

    @Test
    void changeOfTheTableComesFirst() {
        assertThat(block().get(9)).isEqualTo((byte) 0x8c);
        assertThat(block(30).get(9)).isEqualTo((byte) 0x3e);
        assertThat(new byte[] {block(31).get(9), block(31).get(10)}).containsExactly(0x3f, 0);
        ByteBuffer all = block(65_536);
        assertThat(new byte[] {all.get(9), all.get(10), all.get(11), all.get(12)})
                .containsExactly(0x3f, 0xe1, 0x1f, 0x8c);
    }

    /** The encoder may owe both changes, and the smaller one must not be told twice. */
    @Test
    void tableThatHasGrownAgainLeavesTheResetAlone() {
        assertThat(RefusalHead.of(1, table(100, 4096), THEN)).isNull();
    }
}
