package io.webproxy.undertow.canary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.client.ClientConnection;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.SSLSessionInfo;
import io.undertow.server.handlers.proxy.ProxyCallback;
import io.undertow.server.handlers.proxy.ProxyClient;
import io.undertow.server.handlers.proxy.ProxyConnection;
import io.undertow.server.handlers.proxy.ProxyHandler;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.conduits.AbstractStreamSourceConduit;

/** Undertow's {@code ProxyHandler}, between a stock server and upstreams that do as they are told. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.undertow")
class ProxyHandlerDefectsTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    @Test
    void hopByHopFieldsAreForwarded() throws Exception {
        CompletableFuture<String> head = new CompletableFuture<>();
        try (RawUpstream upstream = RawUpstream.start(connection -> {
                    head.complete(connection.readHead());
                    connection.send(OK);
                    connection.readByte();
                });
                StockServer server = StockServer.start(StockServer.proxyTo(upstream.uri(), -1));
                RawConnection client = RawConnection.open(server.port())) {
            client.send("GET / HTTP/1.1¶Host: a¶Connection: x-hop¶X-Hop: 1¶¶").readResponse();

            assertThat(head.get(30, TimeUnit.SECONDS))
                    .as("the proxy handler drops what Connection names: OutboundHead needn't")
                    .contains("\r\nX-Hop: 1\r\n");
        }
    }

    @Test
    void staleConnectionIsNotRetried() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(connection -> {
                    connection.readHead();
                    connection.send(OK);
                    connection.readHead();
                });
                StockServer server = StockServer.start(StockServer.proxyTo(upstream.uri(), -1));
                RawConnection client = RawConnection.open(server.port())) {
            assertThat(client.send("GET /1 HTTP/1.1¶Host: a¶¶").readResponse()).startsWith("HTTP/1.1 200 ");
            String second = client.send("GET /2 HTTP/1.1¶Host: a¶¶").readHead();

            assertThat(second)
                    .as("the proxy handler retries on a fresh connection: Attempts needn't")
                    .startsWith("HTTP/1.1 503 ");
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @Test
    void limitCutsWhatIsNotSilent() throws Exception {
        Semaphore more = new Semaphore(1);
        try (RawUpstream upstream = RawUpstream.start(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK¶Content-Length: 1000000¶¶");
                    while (more.tryAcquire(30, TimeUnit.SECONDS)) {
                        connection.send("x");
                    }
                });
                StockServer server = StockServer.start(StockServer.proxyTo(upstream.uri(), 100));
                RawConnection client = RawConnection.open(server.port())) {
            client.send("GET / HTTP/1.1¶Host: a¶¶").readHead();
            long patience = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            boolean cut = false;
            while (!cut && System.nanoTime() - patience < 0) {
                cut = isAtEnd(client);
                more.release();
            }

            assertThat(cut)
                    .as("the proxy handler's limit is for silence: ExchangeDeadline isn't needed for it")
                    .isTrue();
        }
    }

    private static boolean isAtEnd(RawConnection client) throws IOException {
        try {
            return client.readByte() < 0;
        } catch (SocketException e) {
            return true;
        }
    }

    @Test
    void callbackThrowsIntoTheLoopOfTheThread() throws Exception {
        CompletableFuture<ProxyCallback<ProxyConnection>> waiting = new CompletableFuture<>();
        CompletableFuture<HttpServerExchange> exchange = new CompletableFuture<>();
        ProxyClient noConnectionYet = new ProxyClient() {
            @Override
            public ProxyTarget findTarget(HttpServerExchange http) {
                return new ProxyTarget() {};
            }

            @Override
            public List<ProxyTarget> getAllTargets() {
                return List.of();
            }

            @Override
            public void getConnection(
                    ProxyTarget target,
                    HttpServerExchange http,
                    ProxyCallback<ProxyConnection> callback,
                    long timeout,
                    TimeUnit unit) {
                exchange.complete(http);
                waiting.complete(callback);
            }
        };
        ClientConnection broken = Stub.of(ClientConnection.class, Map.of("sendRequest", arguments -> {
            throw new IllegalStateException("broken");
        }));
        ProxyHandler proxy =
                ProxyHandler.builder().setProxyClient(noConnectionYet).build();
        try (StockServer server = StockServer.start(proxy);
                RawConnection client = RawConnection.open(server.port())) {
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            HttpServerExchange http = exchange.get(30, TimeUnit.SECONDS);
            ProxyCallback<ProxyConnection> callback = waiting.get(30, TimeUnit.SECONDS);
            CompletableFuture<Boolean> called = new CompletableFuture<>();
            // after the call of the handler
            http.getIoThread().execute(() -> {
                try {
                    callback.completed(http, new ProxyConnection(broken, "/"));
                    called.complete(true);
                } catch (Throwable e) {
                    called.completeExceptionally(e);
                }
            });

            assertThatThrownBy(() -> called.get(30, TimeUnit.SECONDS))
                    .as("the proxy handler sees to failures in its callbacks: Facade.guarded may go")
                    .hasMessageContaining("broken");
        }
    }

    @Test
    void clientCertificateIsAskedForOnEachRequest() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        SSLSessionInfo noCertificate = Stub.of(SSLSessionInfo.class, Map.of("getPeerCertificates", arguments -> {
            asked.incrementAndGet();
            throw new SSLPeerUnverifiedException("none");
        }));
        try (RawUpstream upstream = RawUpstream.answering(OK)) {
            ProxyHandler proxy = StockServer.proxyTo(upstream.uri(), -1);
            try (StockServer server = StockServer.start(http -> {
                        http.getConnection().setSslSessionInfo(noCertificate);
                        proxy.handleRequest(http);
                    });
                    RawConnection client = RawConnection.open(server.port())) {
                client.send("GET / HTTP/1.1¶Host: a¶¶").readResponse();
                client.send("GET / HTTP/1.1¶Host: a¶¶").readResponse();
            }
        }

        assertThat(asked)
                .as("the proxy handler doesn't ask again and again: Forwarder needn't hide the session")
                .hasValue(2);
    }

    @Test
    void failureOfARequestBodyIsTakenForTheUpstreams() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK)) {
            ProxyHandler proxy = StockServer.proxyTo(upstream.uri(), -1);
            try (StockServer server = StockServer.start(http -> {
                        http.addRequestWrapper(
                                (factory, wrapped) -> new AbstractStreamSourceConduit<>(factory.create()) {
                                    @Override
                                    public int read(ByteBuffer dst) throws IOException {
                                        throw new IOException("too long");
                                    }
                                });
                        proxy.handleRequest(http);
                    });
                    RawConnection client = RawConnection.open(server.port())) {
                assertThat(client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 5¶¶")
                                .readHead())
                        .as("what a request body throws isn't answered as the upstream's failure: RequestBody may"
                                + " throw")
                        .startsWith("HTTP/1.1 503 ");
            }
        }
    }
}
