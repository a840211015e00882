package io.webproxy.corpus;

import io.webproxy.ProxyConfig;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.Upstream;
import io.webproxy.testing.RawConnection;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.util.Set;

/** The proxy of one file and front, its upstreams, and a connection of somebody else that stays open. */
final class CorpusProxy implements AutoCloseable {
    private final CorpusUpstream upstream;
    private final TestProxy proxy;
    private final RawConnection bystander;
    private final String authorization;

    private CorpusProxy(CorpusUpstream upstream, TestProxy proxy, String authorization) throws IOException {
        this.upstream = upstream;
        this.proxy = proxy;
        this.authorization = authorization;
        this.bystander = proxy.raw();
        // the first case finds what all others find: a pooled connection to the upstream
        bystander.send("GET " + CorpusUpstream.MARKER + " HTTP/1.1¶Host: localhost¶" + authorization + "¶");
        ClientAnswer.read(bystander, false);
    }

    /** A proxy with the default settings, and what the file's options say. */
    static CorpusProxy start(Front front, Set<String> options) throws IOException {
        CorpusUpstream upstream = CorpusUpstream.start();
        TestProxy proxy = TestProxy.start(front, builder -> configure(builder, upstream, options));
        return new CorpusProxy(
                upstream, proxy, options.contains("basic-auth") ? "Authorization: Basic dXNlcjpzZWNyZXQ=¶" : "");
    }

    private static void configure(ProxyConfig.Builder builder, CorpusUpstream upstream, Set<String> options) {
        Upstream strict = Upstream.of(upstream.uri());
        Upstream usual = options.contains("lenient") ? strict.lenientResponses() : strict;
        // one thread: exchanges run one behind the other, and share the connections to the upstream
        builder.tuning(t -> t.withIoThreads(1))
                .route(r -> r.forward(usual))
                .route(r -> r.path("/s").forward(upstream.guardedUri()))
                .route(r -> r.path("/strip/").stripPrefix().forward(usual));
        for (String option : options) {
            switch (option) {
                case "basic-auth" -> builder.basicAuth("user", "secret");
                case "body-limit" ->
                    builder.tuning(t -> t.withHttp(HttpLimits.defaults().withRequestBodyBytes(1000)));
                case "lenient" -> {}
                default ->
                    throw new IllegalArgumentException(option + " (expected: basic-auth, body-limit or lenient)");
            }
        }
    }

    CorpusUpstream upstream() {
        return upstream;
    }

    RawConnection connect() throws IOException {
        return proxy.raw();
    }

    Http2Client connectHttp2() throws IOException {
        return Http2Client.open(proxy);
    }

    /** A connection that was open before the case. */
    RawConnection bystander() {
        return bystander;
    }

    /** A field line that lets a good request in, or nothing. */
    String authorization() {
        return authorization;
    }

    @Override
    public void close() throws IOException {
        bystander.close();
        proxy.close();
        upstream.close();
    }
}
