package io.webproxy.undertow.canary;

import io.undertow.Undertow;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.proxy.LoadBalancingProxyClient;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.net.InetSocketAddress;
import java.net.URI;

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

    @Override
    public void close() {
        undertow.stop();
    }
}
