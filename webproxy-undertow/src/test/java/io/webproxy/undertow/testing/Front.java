package io.webproxy.undertow.testing;

import io.webproxy.spi.TlsProvider;

/** How a client reaches the proxy: the cases that every behaviour is pinned for. */
public enum Front {
    H1(false, false, TlsProvider.AUTO),
    H1_TLS(true, false, TlsProvider.AUTO),
    H1_TLS_JDK(true, false, TlsProvider.JDK),
    H2_TLS(true, true, TlsProvider.AUTO),
    H2_TLS_JDK(true, true, TlsProvider.JDK);

    private final boolean tls;
    private final boolean http2;
    private final TlsProvider provider;

    Front(boolean tls, boolean http2, TlsProvider provider) {
        this.tls = tls;
        this.http2 = http2;
        this.provider = provider;
    }

    public boolean isTls() {
        return tls;
    }

    public boolean isHttp2() {
        return http2;
    }

    public TlsProvider provider() {
        return provider;
    }
}
