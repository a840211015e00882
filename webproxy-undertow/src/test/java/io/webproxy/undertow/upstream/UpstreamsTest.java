package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.DefaultByteBufferPool;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Upstream;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.observe.Recorder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

@ExtendWith(LeakCheck.class)
class UpstreamsTest {
    private static final Upstream LISTED = Upstream.of("http://127.0.0.1:1");

    @Test
    void upstreamsThatStandOnNoRouteAreBoundedAndOutliveUpdates() throws Exception {
        XnioWorker worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.THREAD_DAEMON, true)
                        .getMap());
        List<XnioIoThread> threads = List.of(worker.getIoThread(0));
        DefaultByteBufferPool buffers = new DefaultByteBufferPool(true, 8192);
        Exchanges exchanges = new Exchanges(threads, System::nanoTime, new Recorder(List.of(), null));
        try (Upstreams upstreams =
                new Upstreams(Xnio.getInstance(), threads, exchanges, buffers, buffers, TlsProvider.JDK)) {
            upstreams.update(
                    upstreams.prepare(Set.of(LISTED)),
                    HttpLimits.defaults(),
                    new PoolSettings(PoolLimits.defaults(), OutlierEjection.defaults()),
                    Map.of());
            UpstreamPool listed = upstreams.pool(LISTED);
            for (int i = 0; i < 3000; i++) {
                assertThat(upstreams.pool(Upstream.of("http://tenant-" + i + ":80")))
                        .isNotNull();
            }
            assertThat(upstreams.status()).hasSize(1024 + 1);
            Upstream last = Upstream.of("http://tenant-2999:80");
            UpstreamPool unlisted = upstreams.pool(last);
            upstreams.update(
                    upstreams.prepare(Set.of(LISTED, last)),
                    HttpLimits.defaults(),
                    new PoolSettings(PoolLimits.defaults(), OutlierEjection.defaults()),
                    Map.of());
            assertThat(upstreams.pool(LISTED)).isSameAs(listed);
            assertThat(upstreams.pool(last)).isSameAs(unlisted);
            assertThat(upstreams.status()).hasSize(1024 + 1);
            upstreams.update(
                    upstreams.prepare(Set.of(last)),
                    HttpLimits.defaults(),
                    new PoolSettings(PoolLimits.defaults(), OutlierEjection.defaults()),
                    Map.of());
            assertThat(upstreams.status()).doesNotContainKey(LISTED.toString());
            assertThat(listed == null || listed.isClosed()).isTrue();
        } finally {
            worker.shutdown();
            assertThat(worker.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
