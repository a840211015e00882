package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.undertow.deadline.BodyRoom;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.xnio.conduits.StreamSinkConduit;

/** What of request bodies is kept to be sent again. */
class ResendableBodyTest {
    private static final int MIB = 1 << 20;

    /** Takes all there is. */
    private static StreamSinkConduit taking() {
        return (StreamSinkConduit) Proxy.newProxyInstance(
                ResendableBodyTest.class.getClassLoader(),
                new Class<?>[] {StreamSinkConduit.class},
                (self, method, arguments) -> {
                    if (!method.getName().equals("write")) {
                        return null;
                    }
                    ByteBuffer src = (ByteBuffer) arguments[0];
                    int count = src.remaining();
                    src.position(src.limit());
                    return count;
                });
    }

    private static ResendableBody written(int bytes, int most, BodyRoom room) throws IOException {
        ResendableBody body = new ResendableBody(taking(), most, room);
        for (int rest = bytes; rest > 0; rest -= 1000) {
            body.write(ByteBuffer.allocate(Math.min(rest, 1000)));
        }
        return body;
    }

    @Test
    void bodyUpToTheLimitIsKeptAndOneMoreByteIsNot() throws IOException {
        BodyRoom room = new BodyRoom(4 * MIB);

        assertThat(written(100_000, 100_000, room).isWhole()).isTrue();
        assertThat(written(100_001, 100_000, room).isWhole()).isFalse();
    }

    @Test
    void clientsCannotMakeBodiesTakeMoreThanTheRoomForAllOfThem() throws IOException {
        BodyRoom room = new BodyRoom(3 * MIB);
        int kept = 0;
        ResendableBody[] all = new ResendableBody[20];
        for (int i = 0; i < all.length; i++) {
            all[i] = written(MIB, MIB, room);
            kept += all[i].isWhole() ? 1 : 0;
        }

        assertThat(kept).isEqualTo(3);
        // short ones are kept all the same
        assertThat(written(16 * 1024, MIB, room).isWhole()).isTrue();
        for (ResendableBody body : all) {
            body.giveUp();
        }
        assertThat(room.take(3 * MIB)).isTrue();
    }

    @Test
    void roomIsGivenBackWhenTheResponseBegins() throws IOException {
        BodyRoom room = new BodyRoom(MIB);
        ResendableBody body = written(MIB / 2, MIB, room);
        body.settle();
        body.settle();
        body.giveUp();

        assertThat(room.take(MIB)).isTrue();
        assertThat(room.take(1)).isFalse();
    }
}
