package io.webproxy.samples.cli;

import com.sun.management.OperatingSystemMXBean;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.ProxyStatus;
import io.webproxy.http.Answer;
import io.webproxy.metrics.ProxyMetrics;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/**
 * Metrics and health of a server, served by another one with one IO thread, which goes on while the first one drains.
 * Thread-safe.
 */
final class MetricsServer implements AutoCloseable {
    private static final String FIRST_BYTE = "webproxy.requests.first.byte";
    private static final double[] BUCKETS = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ProxyMetrics metrics;
    private final ProxyServer server;
    private volatile @Nullable ProxyServer shown;

    private MetricsServer(InetSocketAddress address, Consumer<ProxyConfig.Builder> credentials) {
        registry.config().meterFilter(buckets());
        new UptimeMetrics().bindTo(registry);
        processorTime();
        new FileDescriptorMetrics().bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        this.metrics = ProxyMetrics.bind(registry);
        MetricsPages pages = new MetricsPages(address.getAddress(), registry::scrape, this::isLive, this::isReady);
        ProxyConfig.Builder builder = ProxyServer.builder()
                .http(address.getPort(), e -> e.name("metrics"))
                .bind(address.getAddress().getHostAddress())
                .tuning(t -> t.withIoThreads(1))
                .drainTime(Duration.ZERO)
                .route(r -> r.name("metrics").answer(Answer.of(404)).filter(pages));
        credentials.accept(builder);
        this.server = builder.start();
    }

    /**
     * Starts to serve at this address.
     *
     * @throws ProxyStartException if that fails, in terms of the option
     */
    static MetricsServer start(InetSocketAddress address, Consumer<ProxyConfig.Builder> credentials) {
        try {
            return new MetricsServer(address, credentials);
        } catch (ProxyStartException e) {
            throw new ProxyStartException(
                    new StartWords("--metrics", null)
                            .of(String.valueOf(e.getMessage()))
                            .replaceFirst("^--bind: ", "--metrics: "),
                    e);
        }
    }

    /** The name and the unit that Prometheus has for it, which Micrometer's own meter hasn't. */
    private void processorTime() {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            FunctionCounter.builder("process.cpu", system, bean -> bean.getProcessCpuTime() / 1e9)
                    .description("The processor time of the process.")
                    .baseUnit("seconds")
                    .register(registry);
        }
    }

    /** Few buckets for one timer: the others would multiply their sets of tags. */
    private static MeterFilter buckets() {
        double[] nanos = DoubleStream.of(BUCKETS).map(seconds -> seconds * 1e9).toArray();
        return new MeterFilter() {
            @Override
            public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
                return id.getName().equals(FIRST_BYTE)
                        ? DistributionStatisticConfig.builder()
                                .serviceLevelObjectives(nanos)
                                .build()
                                .merge(config)
                        : config;
            }
        };
    }

    /** Counts what the server does that is about to be built. */
    void applyTo(ProxyConfig.Builder builder) {
        builder.observer(metrics);
    }

    /** Shows the health of this server. */
    void show(ProxyServer proxy) {
        shown = proxy;
    }

    private boolean isLive() {
        ProxyServer proxy = shown;
        return proxy == null || proxy.status().isHealthy();
    }

    private boolean isReady() {
        ProxyServer proxy = shown;
        if (proxy == null || !proxy.isRunning()) {
            return false;
        }
        ProxyStatus status = proxy.status();
        return status.isHealthy() && !status.isDraining();
    }

    @Override
    public void close() {
        metrics.close();
        server.close();
        registry.close();
    }
}
