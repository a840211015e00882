package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.undertow.deadline.BodyRoom;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.conduits.StreamSinkConduit;

/** What of request bodies is kept to be sent again. */
class ResendableBodyTest {
    private static final int MIB = 1 << 20;

    /** Takes all there is while it is open, and notes its other calls. */
    private static final class Sink implements InvocationHandler {
        private final StreamSinkConduit conduit = (StreamSinkConduit) Proxy.newProxyInstance(
                ResendableBodyTest.class.getClassLoader(), new Class<?>[] {StreamSinkConduit.class}, this);
        private final List<String> calls = new ArrayList<>();
        private boolean open;
        private int taken;
        /** What happens within the next write. */
        private Runnable within = () -> {};

        Sink(boolean open) {
            this.open = open;
        }

        @Override
        public Object invoke(Object self, Method method, Object[] arguments) {
            if (!method.getName().equals("write")) {
                calls.add(method.getName());
                return method.getReturnType() == boolean.class ? true : null;
            }
            ByteBuffer src = (ByteBuffer) arguments[0];
            int count = open ? src.remaining() : 0;
            src.position(src.position() + count);
            taken += count;
            Runnable now = within;
            within = () -> {};
            now.run();
            return count;
        }
    }

    /** Takes all there is. */
    private static StreamSinkConduit taking() {
        return new Sink(true).conduit;
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

    private static ResendableBody replayed(BodyRoom room, Sink other) throws IOException {
        ResendableBody body = written(100 * 1024, MIB, room);
        body.await();
        body.restart(other.conduit);
        body.writeReady();
        body.settle();
        return body;
    }

    @Test
    void roomOfWhatIsBeingSentAgainIsGivenBackWhenThatIsSent() throws IOException {
        BodyRoom room = new BodyRoom(MIB);
        Sink other = new Sink(false);
        ResendableBody body = replayed(room, other);
        assertThat(room.take(MIB)).isFalse();
        other.open = true;
        body.writeReady();
        body.giveUp();

        assertThat(body.isReplaying()).isFalse();
        assertThat(room.take(MIB)).isTrue();
        assertThat(room.take(1)).isFalse();
    }

    @Test
    void roomOfWhatIsBeingSentAgainIsGivenBackWhenTheRequestIsGivenUp() throws IOException {
        BodyRoom room = new BodyRoom(MIB);
        Sink other = new Sink(false);
        ResendableBody body = replayed(room, other);
        assertThat(room.take(MIB)).isFalse();
        body.giveUp();
        body.giveUp();
        other.open = true;
        body.writeReady();

        assertThat(body.isReplaying()).isFalse();
        assertThat(room.take(MIB)).isTrue();
        assertThat(room.take(1)).isFalse();
    }

    @Test
    void sinkThatWaitsForAnotherAttemptIsSuspended() throws IOException {
        Sink first = new Sink(true);
        ResendableBody body = new ResendableBody(first.conduit, MIB, new BodyRoom(MIB));
        body.resumeWrites();
        first.calls.clear();
        body.await();
        assertThat(first.calls).containsExactly("suspendWrites");
        first.calls.clear();
        body.resumeWrites();
        assertThat(first.calls).isEmpty();
        body.giveUp();
        assertThat(first.calls).containsExactly("wakeupWrites");
    }

    /** Its answer may be the client's after all, and may depend on all of the body. */
    @Test
    void sinkThatWaitsWithinWhatIsSentAgainGetsTheRest() throws IOException {
        BodyRoom room = new BodyRoom(MIB);
        ResendableBody body = written(100 * 1024, MIB, room);
        Sink other = new Sink(false);
        body.await();
        body.restart(other.conduit);
        body.writeReady();
        body.await();
        other.calls.clear();
        body.giveUp();
        assertThat(other.calls).containsExactly("wakeupWrites");
        other.open = true;
        body.writeReady();

        assertThat(other.taken).isEqualTo(100 * 1024);
        assertThat(room.take(MIB)).isTrue();
        assertThat(room.take(1)).isFalse();
    }

    private static Runnable moving(ResendableBody body, Sink to) {
        return () -> {
            body.await();
            body.restart(to.conduit);
        };
    }

    /** The sink finds out that its connection has ended. */
    @Test
    void requestThatMovesOnWhileItIsSentAgainIsSentFromItsFirstByte() throws IOException {
        ResendableBody body = written(1000, MIB, new BodyRoom(MIB));
        Sink first = new Sink(true);
        Sink second = new Sink(true);
        body.await();
        body.restart(first.conduit);
        first.within = moving(body, second);
        body.terminateWrites();
        body.writeReady();

        assertThat(second.taken).isEqualTo(1000);
        assertThat(second.calls).contains("terminateWrites");
        assertThat(first.calls).doesNotContain("terminateWrites");
        assertThat(body.isReplaying()).isFalse();
    }

    @Test
    void requestThatMovesOnToASinkThatTakesNothingYetIsSentLater() throws IOException {
        ResendableBody body = written(1000, MIB, new BodyRoom(MIB));
        Sink first = new Sink(true);
        Sink second = new Sink(false);
        body.await();
        body.restart(first.conduit);
        first.within = moving(body, second);
        body.writeReady();
        assertThat(body.isReplaying()).isTrue();
        second.open = true;
        body.writeReady();

        assertThat(second.taken).isEqualTo(1000);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1000})
    void requestThatMovesOnWithinAWriteLosesNoByte(int before) throws IOException {
        Sink first = new Sink(true);
        Sink second = new Sink(true);
        ResendableBody body = new ResendableBody(first.conduit, MIB, new BodyRoom(MIB));
        body.write(ByteBuffer.allocate(before));
        first.within = moving(body, second);
        ByteBuffer more = ByteBuffer.allocate(500);
        int written = body.write(more);
        assertThat(written).isEqualTo(500 - more.remaining());
        while (more.hasRemaining()) {
            body.write(more);
        }

        assertThat(second.taken).isEqualTo(before + 500);
        assertThat(body.length()).isEqualTo(before + 500);
    }

    /** The connection ends within the write, and the next one is opened only later. */
    @ParameterizedTest
    @ValueSource(ints = {0, 10_000})
    void requestThatWaitsFromWithinAWriteOnLosesNoByte(int before) throws IOException {
        Sink first = new Sink(true);
        Sink second = new Sink(true);
        ResendableBody body = new ResendableBody(first.conduit, 16_384, new BodyRoom(MIB));
        body.write(ByteBuffer.allocate(before));
        first.within = body::await;
        ByteBuffer more = ByteBuffer.allocate(20_000 - before);
        assertThat(body.write(more)).isZero();
        body.restart(second.conduit);
        body.writeReady();
        while (more.hasRemaining()) {
            body.write(more);
        }

        assertThat(second.taken).isEqualTo(20_000);
    }
}
