package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.undertow.deadline.BodyRoom;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReceivedBytesTest {
    private final CountingPool pool = new CountingPool(5000);
    private final BodyRoom room = new BodyRoom(50_000);
    private final ReceivedBytes received = new ReceivedBytes(pool, room);
    private final Random random = new Random(3);
    private byte next;
    private byte nextRead;

    private void add(int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count + 1);
        for (int i = 0; i < count; i++) {
            bytes.put(next++);
        }
        assertThat(received.add(bytes.flip())).isTrue();
        assertThat(bytes.hasRemaining()).isFalse();
    }

    private int read(int most) {
        ByteBuffer into = ByteBuffer.allocate(most);
        int read = received.read(into);
        into.flip();
        assertThat(read).isEqualTo(into.remaining());
        while (into.hasRemaining()) {
            assertThat(into.get()).isEqualTo(nextRead++);
        }
        return read;
    }

    @Test
    void bytesComeOutInOrderAndBuffersGoBack() {
        int size = 0;
        for (int i = 0; i < 5_000; i++) {
            if (random.nextBoolean() && size < 20_000) {
                int count = random.nextInt(random.nextBoolean() ? 250 : 10_000);
                add(count);
                size += count;
            } else {
                int most = random.nextInt(12_000);
                int read = read(most);
                assertThat(read).isEqualTo(Math.min(most, size));
                size -= read;
            }
            assertThat(received.size()).isEqualTo(size);
            assertThat(pool.out()).isLessThanOrEqualTo(size / 5000 + 2);
        }
        while (read(100) > 0) {
            // the rest
        }
        assertThat(pool.out()).isZero();
    }

    @Test
    void roomOfAllBoundsWhatOneHolds() {
        assertThat(room.isAmple()).isTrue();
        ByteBuffer bytes = ByteBuffer.allocate(50_050);
        assertThat(received.add(bytes)).isFalse();
        assertThat(bytes.remaining()).isEqualTo(50);
        assertThat(room.isAmple()).isFalse();
        ReceivedBytes other = new ReceivedBytes(pool, room);
        assertThat(other.add(ByteBuffer.allocate(3000))).isFalse();
        assertThat(received.read(ByteBuffer.allocate(7000))).isEqualTo(7000);
        assertThat(other.add(ByteBuffer.allocate(3000))).isTrue();
        assertThat(received.release()).isEqualTo(43_000);
        assertThat(other.release()).isEqualTo(3000);
        assertThat(pool.out()).isZero();
        assertThat(room.take(50_000)).isTrue();
    }

    @Test
    void fewBytesOfManyStreamsTakeNoBuffersOfThePool() {
        for (int i = 0; i < ReceivedBytes.FEW; i++) {
            add(1);
        }
        assertThat(pool.out()).isZero();
        add(1);
        assertThat(pool.out()).isEqualTo(1);
        for (int i = 0; i <= ReceivedBytes.FEW; i++) {
            read(1);
        }
        assertThat(received.size()).isZero();
        assertThat(pool.out()).isZero();
        assertThat(room.take(50_000)).isTrue();
    }

    @Test
    void whoReadsSlowlyHoldsOneBufferAsLongAsItHasRoom() {
        add(5000);
        for (int i = 0; i < 100; i++) {
            read(600);
            add(600);
            assertThat(pool.out()).isEqualTo(1);
        }
        add(1);
        assertThat(pool.out()).isEqualTo(2);
        assertThat(read(6000)).isEqualTo(5001);
        assertThat(pool.out()).isZero();
    }

    @Test
    void releaseTellsHowManyBytesAreUnreadAndStartsAnew() {
        add(250);
        read(120);
        assertThat(received.release()).isEqualTo(130);
        assertThat(pool.out()).isZero();
        assertThat(received.release()).isZero();
        assertThat(read(10)).isZero();
        nextRead = next;
        add(30);
        assertThat(read(100)).isEqualTo(30);
        assertThat(pool.out()).isZero();
    }
}
