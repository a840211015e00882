package io.webproxy.blackbox.tls;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** The log says which certificates are served when that changes, and only then. */
@ExtendWith(LeakCheck.class)
class CertificateLinesTest {
    private final Logger log = (Logger) LoggerFactory.getLogger("io.webproxy.tls");
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            if (event.getFormattedMessage().startsWith("Serving the ")) {
                lines.add(event.getFormattedMessage());
            }
        }
    };

    @BeforeEach
    void listen() {
        appender.setContext(log.getLoggerContext());
        appender.start();
        log.addAppender(appender);
    }

    @AfterEach
    void listenNoMore() {
        log.detachAppender(appender);
    }

    @Test
    void updateThatChangesNoCertificateSaysNothing() {
        try (TestProxy proxy = TestProxy.start(Front.H1_TLS, "http://127.0.0.1:1")) {
            assertThat(lines).hasSize(1);
            for (String route : List.of("/a/", "/b/")) {
                proxy.server().update(c -> c.route(r -> r.path(route).forward("http://127.0.0.1:2")));
            }
            assertThat(lines).hasSize(1);
            proxy.server()
                    .update(c -> c.certificates(TestProxy.certificates(), Certificates.selfSigned("other.example")));
            assertThat(lines).hasSize(2);
            assertThat(lines.get(1)).contains("other.example");
        }
    }
}
