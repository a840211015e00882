package io.webproxy.undertow.canary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import io.undertow.util.Transfer;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.testing.OneIoThread;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.ChannelListeners;
import org.xnio.ChannelPipe;
import org.xnio.channels.Configurable;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/** Undertow's exchange, its {@code Transfer} and its tables. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.undertow")
class UndertowDefectsTest {
    private final AtomicInteger flushes = new AtomicInteger();
    private final AtomicInteger suspensions = new AtomicInteger();
    private final AtomicInteger lent = new AtomicInteger();
    private final ByteBufferPool pool = Stub.of(ByteBufferPool.class, Map.of("allocate", arguments -> lend()));

    private PooledByteBuffer lend() {
        ByteBuffer buffer = ByteBuffer.allocate(1024);
        lent.incrementAndGet();
        return Stub.of(
                PooledByteBuffer.class,
                Map.of("getBuffer", arguments -> buffer, "close", arguments -> lent.decrementAndGet()));
    }

    @Test
    void transferDoesNotFlushInAPause() {
        ConduitStreamSinkChannel sink = transferThatPauses();

        assertThat(flushes)
                .as("Transfer flushes when its source pauses: ClientSink needn't")
                .hasValue(0);
        assertThat(sink.getWriteListener()).isNotNull();
    }

    @Test
    void transferSuspendsAnUnfinishedFlush() {
        ConduitStreamSinkChannel sink = transferThatPauses();
        ChannelListeners.invokeChannelListener(sink, sink.getWriteListener());

        assertThat(suspensions)
                .as("Transfer leaves writes resumed while a flush is unfinished: ClientSink needn't")
                .hasPositiveValue();
    }

    /** Three bytes have gone through, and the source has no more for now; the sink never finishes a flush. */
    private ConduitStreamSinkChannel transferThatPauses() {
        AtomicInteger left = new AtomicInteger(3);
        StreamSourceConduit source = Stub.of(StreamSourceConduit.class, Map.of("read", arguments -> {
            int count = left.getAndSet(0);
            ((ByteBuffer) arguments[0]).put(new byte[count]);
            return count;
        }));
        StreamSinkConduit sink = Stub.of(
                StreamSinkConduit.class,
                Map.of(
                        "write",
                        arguments -> {
                            ByteBuffer bytes = (ByteBuffer) arguments[0];
                            int count = bytes.remaining();
                            bytes.position(bytes.limit());
                            return count;
                        },
                        "flush",
                        arguments -> {
                            flushes.incrementAndGet();
                            return false;
                        },
                        "suspendWrites",
                        arguments -> suspensions.incrementAndGet()));
        ConduitStreamSinkChannel to = new ConduitStreamSinkChannel(Configurable.EMPTY, sink);
        Transfer.initiateTransfer(
                new ConduitStreamSourceChannel(Configurable.EMPTY, source), to, null, null, null, null, pool);
        return to;
    }

    @Test
    void transferKeepsItsBufferWhenBothEndsAreClosed() throws Exception {
        try (OneIoThread io = OneIoThread.start()) {
            ChannelPipe<StreamSourceChannel, StreamSinkChannel> in = io.thread().createHalfDuplexPipe();
            ChannelPipe<StreamSourceChannel, StreamSinkChannel> out =
                    io.thread().createHalfDuplexPipe();
            io.call(() -> {
                while (out.getRightSide().write(ByteBuffer.allocate(65_536)) > 0) {
                    // until it is full
                }
                in.getRightSide().write(ByteBuffer.allocate(3));
                Transfer.initiateTransfer(in.getLeftSide(), out.getRightSide(), null, null, null, null, pool);
                assertThat(lent).hasValue(1);
                in.getLeftSide().close();
                out.getRightSide().close();
                return null;
            });
            // what the closing has given the thread to do has been done then
            io.call(() -> null);
            io.call(() -> null);

            assertThat(lent)
                    .as("Transfer gives its buffer back: an abort needn't make conduits throw BrokenOff")
                    .hasValue(1);
            in.getRightSide().close();
            out.getLeftSide().close();
        }
    }

    @Test
    void endingAnExchangeWaitsForTheRequestBody() throws Exception {
        CompletableFuture<Boolean> answered = new CompletableFuture<>();
        try (StockServer server = StockServer.start(http -> {
                    http.setStatusCode(500);
                    http.endExchange();
                    answered.complete(http.isResponseStarted());
                });
                RawConnection client = RawConnection.open(server.port())) {
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 5¶¶");

            assertThat(answered.get(30, TimeUnit.SECONDS))
                    .as("endExchange answers before it has the whole body: NeverDrained may go")
                    .isFalse();
            assertThat(client.send("12345").readHead()).startsWith("HTTP/1.1 500 ");
        }
    }

    @Test
    void readerIsForgottenBeforeItHasReadTheEnd() throws Exception {
        CompletableFuture<Boolean> forgotten = new CompletableFuture<>();
        try (StockServer server = StockServer.start(http -> {
                    ConduitStreamSourceChannel source = ((HttpServerConnection) http.getConnection())
                            .getChannel()
                            .getSourceChannel();
                    http.getRequestChannel().getReadSetter().set(channel -> {});
                    boolean known = source.getReadListener() != null;
                    Connectors.terminateRequest(http);
                    forgotten.complete(known && source.getReadListener() == null);
                });
                RawConnection client = RawConnection.open(server.port())) {
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 5¶¶12345").readHead();

            assertThat(forgotten.get(30, TimeUnit.SECONDS))
                    .as("a reader hears of the end of a complete request: StreamSource needn't keep it open")
                    .isTrue();
        }
    }

    @Test
    void fieldHasAtMost127Values() {
        HeaderMap fields = new HeaderMap();
        for (int i = 0; i < 127; i++) {
            fields.add(Headers.COOKIE, "a=" + i);
        }

        assertThatThrownBy(() -> fields.add(Headers.COOKIE, "a=127"))
                .as("a HeaderMap takes 128 values of a name: FieldLines and both RequestFields may go")
                .isInstanceOf(RuntimeException.class);
    }

    @Test
    void emptyQueryIsNone() {
        assertThat(new HttpServerExchange(null).setQueryString("?a").getQueryString())
                .as("a query keeps its question mark: the codecs needn't put it back")
                .isEqualTo("a");
        assertThat(new HttpServerExchange(null).setQueryString("").getQueryString())
                .as("an empty query can be told from none: ClientStream.isQueryEmpty may go")
                .isEqualTo(new HttpServerExchange(null).getQueryString());
    }

    @Test
    void statusesOfLaterRfcsAreUnknown() {
        assertThat(StatusCodes.getReason(103))
                .as("103 has its reason: http1.ResponseHead needn't know it")
                .isEqualTo("Unknown");
        assertThat(StatusCodes.getReason(421))
                .as("421 has its reason: LocalAnswer needn't know it")
                .isEqualTo("Unknown");
    }
}
