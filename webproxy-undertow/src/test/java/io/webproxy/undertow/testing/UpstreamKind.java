package io.webproxy.undertow.testing;

import io.webproxy.route.Upstream;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.TrustStore;
import java.io.IOException;

/** How a proxy reaches an upstream: the cases that behaviour towards upstreams is pinned for. */
public enum UpstreamKind {
    H1("http", TlsProvider.AUTO),
    H1_TLS("https", TlsProvider.AUTO),
    H1_TLS_JDK("https", TlsProvider.JDK),
    H2C("h2c", TlsProvider.AUTO),
    H2_TLS("https+h2", TlsProvider.AUTO),
    H2_TLS_JDK("https+h2", TlsProvider.JDK);

    private final String scheme;
    private final TlsProvider provider;

    UpstreamKind(String scheme, TlsProvider provider) {
        this.scheme = scheme;
        this.provider = provider;
    }

    public boolean isTls() {
        return scheme.startsWith("https");
    }

    public boolean isHttp2() {
        return scheme.contains("h2");
    }

    /** The proxy's. */
    public TlsProvider provider() {
        return provider;
    }

    /** One that listens on this port of the loopback address. */
    public Upstream upstream(int port) {
        Upstream plain = Upstream.of(scheme + "://127.0.0.1:" + port);
        return isTls() ? plain.withTrust(TrustStore.pem(Http2Upstream.rootFile())) : plain;
    }

    /** The same for a script. */
    public Upstream upstream(RawUpstream server) {
        return upstream(server.port());
    }

    /** The server's side of a connection, over TLS or as it is. */
    public RawConnection serve(RawConnection tcp) throws IOException {
        return isTls() ? tcp.serveTls(TestProxy.identity().sslSocketFactory(), isHttp2() ? "h2" : "http/1.1") : tcp;
    }

    /** An upstream of this kind whose script is above TLS. */
    public RawUpstream start(RawUpstream.Script script) throws IOException {
        return RawUpstream.start(tcp -> script.run(serve(tcp)));
    }
}
