package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;
import org.xnio.conduits.StreamSinkConduit;

/** What a transfer does to its sink after a pause must not stop a flush that is under way. */
class ClientSinkTest {
    private boolean flushes;
    private boolean writesResumed;

    private final StreamSinkConduit socket = (StreamSinkConduit) Proxy.newProxyInstance(
            ClientSinkTest.class.getClassLoader(),
            new Class<?>[] {StreamSinkConduit.class},
            (proxy, method, arguments) -> switch (method.getName()) {
                case "flush" -> flushes;
                case "resumeWrites" -> resume(true);
                case "suspendWrites" -> resume(false);
                case "isWriteResumed" -> writesResumed;
                default -> throw new AssertionError(method);
            });

    @SuppressWarnings("NullAway") // nothing here ends the exchange
    private final ClientSink sink = new ClientSink(
            socket,
            null,
            new ClientSink.Listener() {
                @Override
                public void clientGone() {
                    throw new AssertionError("nobody has gone");
                }

                @Override
                public void answeredEarly() {
                    throw new AssertionError("nothing is answered");
                }
            },
            null,
            null);

    /** The proxy's answer to a void method. */
    @SuppressWarnings("NullAway")
    private Object resume(boolean on) {
        writesResumed = on;
        return null;
    }

    @Test
    void unfinishedFlushStaysResumedAlthoughTheTransferSuspendsWrites() {
        flushes = false;
        sink.pause();
        sink.suspendWrites();
        assertThat(writesResumed)
                .as("else nobody is told when the socket takes the tail")
                .isTrue();

        sink.pause();
        sink.suspendWrites();
        assertThat(writesResumed).isTrue();

        flushes = true;
        sink.pause();
        sink.suspendWrites();
        assertThat(writesResumed).as("else the IO thread spins").isFalse();
    }

    @Test
    void finishedFlushLetsTheTransferSuspend() {
        flushes = true;
        sink.pause();
        sink.suspendWrites();
        assertThat(writesResumed).isFalse();
    }
}
