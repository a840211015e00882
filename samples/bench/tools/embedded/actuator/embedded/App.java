package embedded;

import io.micrometer.core.instrument.MeterRegistry;
import io.webproxy.ProxyServer;
import io.webproxy.metrics.ProxyMetrics;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A Spring Boot application with actuator, exposed by two proxies whose meters are in its registry beside its own. */
@SpringBootApplication
@RestController
public class App {
    public static void main(String[] args) {
        SpringApplication.run(App.class, args);
    }

    @Bean
    ProxyMetrics openMetrics(MeterRegistry registry) {
        return ProxyMetrics.bind(registry, "open");
    }

    @Bean
    ProxyMetrics innerMetrics(MeterRegistry registry) {
        return ProxyMetrics.bind(registry, "inner");
    }

    @Bean
    Proxies proxies(Environment environment, ProxyMetrics openMetrics, ProxyMetrics innerMetrics) {
        return new Proxies(environment, openMetrics, innerMetrics);
    }

    @GetMapping("/hello")
    String hello() {
        return "hello";
    }

    /** Both proxies: they start when the application is ready, and close with it. */
    static final class Proxies {
        private final Environment environment;
        private final ProxyMetrics openMetrics;
        private final ProxyMetrics innerMetrics;
        private ProxyServer open;
        private ProxyServer inner;

        Proxies(Environment environment, ProxyMetrics openMetrics, ProxyMetrics innerMetrics) {
            this.environment = environment;
            this.openMetrics = openMetrics;
            this.innerMetrics = innerMetrics;
        }

        @EventListener(ApplicationReadyEvent.class)
        void start() {
            String application = "http://127.0.0.1:" + environment.getProperty("local.server.port");
            inner = ProxyServer.builder()
                    .bind("127.0.0.1")
                    .http(0)
                    .forward(application)
                    .observer(innerMetrics)
                    .start();
            open = ProxyServer.builder()
                    .bind("127.0.0.1")
                    .https(0)
                    .forward(application)
                    .observer(openMetrics)
                    .start();
            System.out.println("application " + application + "/");
            System.out.println("inner " + inner.uri());
            System.out.println("ready " + open.uri());
        }

        @EventListener(ContextClosedEvent.class)
        void stop() {
            open.close();
            inner.close();
            System.out.println("closed");
        }
    }
}
