package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ForwardError;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.channels.Configurable;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.StreamSinkConduit;

class RequestBodySinkTest {
    private static String trailer(String name, String value) {
        return new String(RequestBodySink.trailer(name, value), StandardCharsets.ISO_8859_1);
    }

    @Test
    void trailerIsOneLine() {
        assertThat(trailer("X-A", "b\t\u00e4 c")).isEqualTo("X-A: b\t\u00e4 c\r\n");
        assertThat(trailer("X-A", "")).isEqualTo("X-A: \r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nX-Evil: b", "a\rb", "a\nb", "a\0b", "\r", "\n", "a\u007f", "a\u010ab", "\u560d"})
    void trailerValueThatWouldSplitTheRequestIsLeftOut(String value) {
        assertThat(trailer("X-A", value)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "X A", "X:A", "X\r\nEvil", "X\nA", "X\0A", " X", "X ", "X\u00e4", "X\u010a"})
    void trailerNameThatIsNoTokenIsLeftOut(String name) {
        assertThat(trailer(name, "b")).isEmpty();
    }

    /** Takes all there is, as TLS does, and flushes it when the socket takes it. */
    private static final class Tls implements InvocationHandler {
        private final StreamSinkConduit conduit = (StreamSinkConduit) Proxy.newProxyInstance(
                RequestBodySinkTest.class.getClassLoader(), new Class<?>[] {StreamSinkConduit.class}, this);
        private boolean full;
        private boolean waits;
        private boolean resumed;

        @Override
        public @Nullable Object invoke(Object self, Method method, Object[] arguments) {
            switch (method.getName()) {
                case "write" -> {
                    int count = 0;
                    for (ByteBuffer each : arguments.length == 1
                            ? new ByteBuffer[] {(ByteBuffer) arguments[0]}
                            : (ByteBuffer[]) arguments[0]) {
                        count += each.remaining();
                        each.position(each.limit());
                    }
                    waits = full;
                    return arguments.length == 1 ? (Object) count : (Object) (long) count;
                }
                case "flush" -> {
                    waits &= full;
                    return !waits;
                }
                case "resumeWrites" -> resumed = true;
                case "suspendWrites" -> resumed = false;
                default -> {}
            }
            return null;
        }
    }

    private static final class Quiet implements UpstreamListener {
        @Override
        public void requestBytesTaken(long bytes) {}

        @Override
        public void requestBodyWrong(String problem) {
            throw new AssertionError(problem);
        }

        @Override
        public void interim(ParsedHead head) {}

        @Override
        public void responded(ParsedHead head) {}

        @Override
        public void failed(ForwardError error, String detail, boolean silent) {}

        @Override
        public void refused(String detail) {}
    }

    private static RequestBodySink sink(Tls tls, long length) {
        return new RequestBodySink(
                new Quiet(),
                new ConduitStreamSinkChannel(Configurable.EMPTY, tls.conduit),
                ByteBuffer.wrap(new byte[10]),
                RequestFraming.ofLength(length),
                () -> null);
    }

    /** A client that waits for the answer to this part sends nothing that would push it on. */
    @Test
    void partOfABodyThatTlsHoldsGoesOnAlthoughTheClientPauses() throws IOException {
        Tls tls = new Tls();
        RequestBodySink sink = sink(tls, 100);
        sink.start();
        assertThat(tls.resumed).isFalse();
        tls.full = true;
        assertThat(sink.write(ByteBuffer.allocate(50))).isEqualTo(50);
        sink.suspendWrites();
        assertThat(tls.resumed).isTrue();
        assertThat(sink.isAwaitingBody()).isFalse();
        sink.writable();
        assertThat(tls.resumed).isTrue();
        tls.full = false;
        sink.writable();

        assertThat(tls.waits).isFalse();
        assertThat(tls.resumed).isFalse();
        assertThat(sink.isAwaitingBody()).isTrue();
    }

    @Test
    void headThatTlsHoldsGoesOnWhenTheSocketTakesIt() {
        Tls tls = new Tls();
        tls.full = true;
        RequestBodySink sink = sink(tls, 0);
        sink.start();
        assertThat(tls.resumed).isTrue();
        assertThat(sink.isComplete()).isFalse();
        tls.full = false;
        sink.writable();

        assertThat(tls.waits).isFalse();
        assertThat(tls.resumed).isFalse();
        assertThat(sink.isComplete()).isTrue();
    }

    @Test
    void sinkWhoseExchangeIsOverLeavesTheSocketToTheNext() throws IOException {
        Tls tls = new Tls();
        RequestBodySink sink = sink(tls, 5);
        sink.start();
        sink.write(ByteBuffer.allocate(5));
        sink.terminateWrites();
        sink.flush();
        assertThat(sink.isComplete()).isTrue();
        sink.discard();
        tls.resumed = true;
        sink.suspendWrites();
        assertThat(tls.resumed).isTrue();
    }
}
