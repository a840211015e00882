package io.webproxy.undertow.canary;

import io.undertow.Undertow;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.proxy.LoadBalancingProxyClient;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Undertow as it comes, with one IO thread, in cleartext on a free port. */
record StockServer(Undertow undertow) implements AutoCloseable {
    static StockServer start(HttpHandler handler) {
        Undertow undertow = Undertow.builder()
                .addHttpListener(0, "127.0.0.1", handler)
                .setIoThreads(1)
                .setWorkerThreads(1)
                .build();
        undertow.start();
        return new StockServer(undertow);
    }

    /** The proxy handler as it comes, for one upstream. */
    static ProxyHandler proxyTo(String uri, int maxRequestMillis) {
        return ProxyHandler.builder()
                .setProxyClient(new LoadBalancingProxyClient().addHost(URI.create(uri)))
                .setMaxRequestTime(maxRequestMillis)
                .build();
    }

    int port() {
        return ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
    }

    /**
     * An exchange that has answered may still be ended on the IO thread: that first, or it logs that there is no thread
     * for the rest.
     */
    @Override
    public void close() {
        CountDownLatch ended = new CountDownLatch(1);
        undertow.getWorker().getIoThread(0).execute(ended::countDown);
        try {
            ended.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        undertow.stop();
    }
}
